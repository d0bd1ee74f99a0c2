//! Amazon Bedrock: guardrails and their versions, application inference profiles, and the log of invocations.

use serde_json::{Map, Value, json};

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Tags, Update, Whole};

pub(super) const LIVES: &[Life] = &[GUARDRAIL, VERSION, PROFILE, LOGGING, ENFORCED];

/// This service writes tags as a list, in either case of letters.
const TAGS: Tags = Tags { arn: ("resourceARN", "guardrailArn"), pair: Some(("key", "value")), ..TAG_MAP };

const GUARDRAIL: Life = Life {
    words: &["bedrock/Guardrail"],
    list: List {
        operation: "ListGuardrails",
        at: "guardrails",
        keys: &[("guardrailIdentifier", &["guardrailId", "id"])],
        ..PLAIN.list
    },
    read: Some(("GetGuardrail", "")),
    create: ("CreateGuardrail", ""),
    update: Update::By("UpdateGuardrail", &[]),
    delete: "DeleteGuardrail",
    members: &[
        Member::Same("name"),
        Member::Same("description"),
        Member::Same("blockedInputMessaging"),
        Member::Same("blockedOutputsMessaging"),
        Member::As("topicPolicyConfig", |shown, _| asked(shown, "topicPolicy")),
        Member::As("contentPolicyConfig", |shown, _| asked(shown, "contentPolicy")),
        Member::As("wordPolicyConfig", |shown, _| asked(shown, "wordPolicy")),
        Member::As("sensitiveInformationPolicyConfig", |shown, _| asked(shown, "sensitiveInformationPolicy")),
        Member::As("contextualGroundingPolicyConfig", |shown, _| asked(shown, "contextualGroundingPolicy")),
        Member::As("automatedReasoningPolicyConfig", |shown, _| asked(shown, "automatedReasoningPolicy")),
        Member::As("crossRegionConfig", |shown, wanted| {
            named(shown.get("crossRegionDetails")?, wanted, "guardrailProfileId", "guardrailProfileArn")
        }),
        Member::As("kmsKeyId", |shown, wanted| {
            let key = shown.get("kmsKeyArn")?.as_str()?;
            let is_same = |id: &str| key == id || key.ends_with(&format!("/{id}"));
            let same = wanted.and_then(Value::as_str).is_some_and(is_same);
            if same { wanted.cloned() } else { Some(key.into()) }
        }),
    ],
    echoes: &[
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/inputModalities", r#"["TEXT"]"#),
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/outputModalities", r#"["TEXT"]"#),
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/inputAction", r#""BLOCK""#),
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/outputAction", r#""BLOCK""#),
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/inputEnabled", "true"),
        Echo::Usual("/contentPolicyConfig/filtersConfig/*/outputEnabled", "true"),
        Echo::Usual("/topicPolicyConfig/topicsConfig/*/inputAction", r#""BLOCK""#),
        Echo::Usual("/topicPolicyConfig/topicsConfig/*/outputAction", r#""BLOCK""#),
        Echo::Usual("/topicPolicyConfig/topicsConfig/*/inputEnabled", "true"),
        Echo::Usual("/topicPolicyConfig/topicsConfig/*/outputEnabled", "true"),
        Echo::Usual("/wordPolicyConfig/*/*/inputAction", r#""BLOCK""#),
        Echo::Usual("/wordPolicyConfig/*/*/outputAction", r#""BLOCK""#),
        Echo::Usual("/wordPolicyConfig/*/*/inputEnabled", "true"),
        Echo::Usual("/wordPolicyConfig/*/*/outputEnabled", "true"),
        Echo::Usual("/sensitiveInformationPolicyConfig/*/*/inputEnabled", "true"),
        Echo::Usual("/sensitiveInformationPolicyConfig/*/*/outputEnabled", "true"),
        Echo::Usual("/contextualGroundingPolicyConfig/filtersConfig/*/action", r#""BLOCK""#),
        Echo::Usual("/contextualGroundingPolicyConfig/filtersConfig/*/enabled", "true"),
        Echo::Usual("/contentPolicyConfig/tierConfig", r#"{"tierName":"CLASSIC"}"#),
        Echo::Usual("/topicPolicyConfig/tierConfig", r#"{"tierName":"CLASSIC"}"#),
    ],
    tags: Some(&TAGS),
    ..PLAIN
};

/// The profile of a guardrail by id or ARN, as it is wanted.
fn named(details: &Value, wanted: Option<&Value>, id: &str, arn: &str) -> Option<Value> {
    let wanted_id =
        wanted.and_then(|wanted| wanted.get("guardrailProfileIdentifier")).and_then(Value::as_str);
    let shown = [id, arn].map(|name| details.get(name).and_then(Value::as_str));
    let same = wanted_id.filter(|wanted| shown.contains(&Some(*wanted)));
    let told = same.or_else(|| shown.into_iter().flatten().next())?;
    Some(json!({ "guardrailProfileIdentifier": told }))
}

/// A policy in the words of a request, in which the names of lists and tiers end in `Config` (service model of `bedrock`,
/// `CreateGuardrail` and `GetGuardrail`). What a service adds that requests cannot say is left out.
fn asked(shown: &Value, policy: &str) -> Option<Value> {
    let lists = ["topics", "filters", "words", "managedWordLists", "piiEntities", "regexes", "tier"];
    let members = shown.get(policy)?.as_object()?.iter().filter_map(|(name, value)| {
        match (policy, lists.contains(&name.as_str())) {
            (_, true) => Some((format!("{name}Config"), value.clone())),
            ("automatedReasoningPolicy", false) => Some((name.clone(), value.clone())),
            (_, false) => None,
        }
    });
    let members: Map<String, Value> = members.filter(|(_, value)| value != &json!([])).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// The version that was cut last. A change cuts another, so that what names the old one goes on; all of them go with the
/// guardrail.
const VERSION: Life = Life {
    words: &["bedrock/GuardrailVersion"],
    whole: Some(Whole { word: "bedrock/Guardrail", keys: &[("guardrailIdentifier", "guardrailIdentifier")] }),
    list: List {
        operation: "ListGuardrails",
        at: "guardrails",
        keys: &[("guardrailVersion", &["version"])],
        latest: Some("version"),
        ..PLAIN.list
    },
    read: Some(("GetGuardrail", "")),
    create: ("CreateGuardrailVersion", ""),
    update: Update::Again,
    delete: "DeleteGuardrail",
    identity: &["guardrailIdentifier"],
    members: &[Member::At("guardrailIdentifier", "/guardrailId"), Member::Same("description")],
    ..PLAIN
};

/// A profile cannot be changed, so that one that should copy another is made anew, under another ARN.
const PROFILE: Life = Life {
    words: &["bedrock/InferenceProfile"],
    list: List {
        operation: "ListInferenceProfiles",
        at: "inferenceProfileSummaries",
        keys: &[("inferenceProfileIdentifier", &["inferenceProfileArn"])],
        ..PLAIN.list
    },
    read: Some(("GetInferenceProfile", "")),
    create: ("CreateInferenceProfile", ""),
    update: Update::Never,
    delete: "DeleteInferenceProfile",
    identity: &["inferenceProfileName"],
    members: &[
        Member::Same("inferenceProfileName"),
        Member::Same("description"),
        Member::As("modelSource", source),
    ],
    echoes: &[Echo::Usual("/description", r#""""#)],
    tags: Some(&Tags { arn: ("resourceARN", "inferenceProfileArn"), ..TAGS }),
    ..PLAIN
};

/// What a profile was copied from is not shown; the models that it calls are. A profile that calls what is wanted is taken
/// to be copied from it.
fn source(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let models = shown.get("models")?.as_array()?;
    let arns = || models.iter().filter_map(|model| model.get("modelArn")?.as_str());
    let of = |arn: &str| arn.rsplit('/').next().map(str::to_owned);
    let copied = wanted.and_then(|wanted| wanted.get("copyFrom")).and_then(Value::as_str).and_then(of);
    let fits = copied.is_some_and(|copied| {
        let model = copied.split_once('.').map_or("", |(_, model)| model);
        arns().filter_map(of).all(|called| called == copied || called == model)
    });
    match fits {
        true => wanted.cloned(),
        false => arns().next().map(|arn| json!({ "copyFrom": arn })),
    }
}

/// One for an account and region, whoever asks for it.
const LOGGING: Life = Life {
    words: &["bedrock/InvocationLogging"],
    list: List { operation: "GetModelInvocationLoggingConfiguration", ..PLAIN.list },
    create: ("PutModelInvocationLoggingConfiguration", ""),
    update: Update::Again,
    delete: "DeleteModelInvocationLoggingConfiguration",
    identity: &[],
    members: &[Member::Same("loggingConfig")],
    is_setting: true,
    states: &[],
    ..PLAIN
};

/// What an account enforces in a region, whoever asks for it. An organization may enforce something, too.
const ENFORCED: Life = Life {
    words: &["bedrock/EnforcedGuardrail"],
    list: List {
        operation: "ListEnforcedGuardrailsConfiguration",
        at: "guardrailsConfig",
        keys: &[("configId", &["configId"])],
        ..PLAIN.list
    },
    create: ("PutEnforcedGuardrailConfiguration", ""),
    update: Update::By("PutEnforcedGuardrailConfiguration", &[]),
    delete: "DeleteEnforcedGuardrailConfiguration",
    identity: &[],
    members: &[Member::As("guardrailInferenceConfig", enforced)],
    echoes: &[Echo::Usual("/guardrailInferenceConfig/inputTags", r#""HONOR""#)],
    is_setting: true,
    states: &[],
    ..PLAIN
};

/// A configuration of the account in the words of the request. The guardrail is shown by id and by ARN.
fn enforced(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    if shown.get("owner").is_some_and(|owner| owner != "ACCOUNT") {
        return None;
    }
    let names = ["guardrailVersion", "inputTags", "modelEnforcement", "selectiveContentGuarding"];
    let named = names.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(*name)?.clone())));
    let mut told: Map<String, Value> = named.collect();
    let shown = ["guardrailId", "guardrailArn"].map(|name| shown.get(name));
    let asked = wanted.and_then(|wanted| wanted.get("guardrailIdentifier"));
    let same = asked.filter(|asked| shown.contains(&Some(*asked)));
    let guardrail = same.or_else(|| shown.into_iter().flatten().next())?;
    told.insert("guardrailIdentifier".to_owned(), guardrail.clone());
    Some(Value::Object(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_account_enforces_is_told_as_it_was_asked_for() {
        let shown = json!({
            "configId": "c", "owner": "ACCOUNT", "guardrailId": "g", "guardrailArn": "arn:g",
            "guardrailVersion": "1", "inputTags": "HONOR", "createdBy": "x",
        });
        let told =
            |by: &str| json!({ "guardrailIdentifier": by, "guardrailVersion": "1", "inputTags": "HONOR" });
        for by in ["g", "arn:g"] {
            assert_eq!(enforced(&shown, Some(&json!({ "guardrailIdentifier": by }))), Some(told(by)));
        }
        assert_eq!(enforced(&shown, None), Some(told("g")));
        let theirs = json!({ "owner": "ORGANIZATION", "guardrailId": "g" });
        assert_eq!(enforced(&theirs, None), None);
    }
}
