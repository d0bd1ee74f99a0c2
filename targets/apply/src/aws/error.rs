//! What AWS says when it does not do what it is asked.

use aipolicy_targets::artifact::Address;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use crate::provider::WorldError;

/// Codes of errors that pass, beside those with a status of 500 and more: throttling, and what IAM documents as "wait a few
/// minutes and submit your request again" (API reference, `ConcurrentModification`, `EntityTemporarilyUnmodifiable`).
const PASSING: &[&str] = &[
    "ConcurrentModification",
    "EntityTemporarilyUnmodifiable",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "RequestTimeoutException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// What most services say of what is not there.
const GONE_ITSELF: &str = "ResourceNotFoundException";

/// Codes of services for what is not there.
const GONE: &[&str] = &[
    GONE_ITSELF,
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "PolicyNotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "StateMachineDoesNotExist",
    "TrailNotFoundException",
];

/// What most services say of what is there already.
const TAKEN_ITSELF: &str = "ConflictException";

/// Codes of services for a name that something has.
const TAKEN: &[&str] = &[
    TAKEN_ITSELF,
    "DuplicatePolicyException",
    "DuplicateRecordException",
    "EntityAlreadyExists",
    "QueueAlreadyExists",
    "QueueNameExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "ResourceInUseException",
    "StateMachineAlreadyExists",
    "TrailAlreadyExistsException",
];

/// Codes for what cannot be done in the state in which something is, or while others use it. Both end by themselves: what
/// uses it is changed or removed in the same run, or it is said in the end.
const BUSY: &[&str] = &[
    "AWS.SimpleQueueService.QueueDeletedRecently",
    "ConflictException",
    "OperationAbortedException",
    "QueueDeletedRecently",
    "ResourceConflictException",
    "ResourceInUseException",
    "StateMachineDeleting",
];

/// Codes under which services also refuse what is only too early.
const INVALID: &[&str] = &[
    "AccessDeniedException",
    "InvalidParameterException",
    "InvalidParameterValueException",
    "ValidationException",
];

/// What they say then: agents of Bedrock while they are in another state ("… can't be performed on Agent when it is in
/// Preparing state. Retry the request when the agent is in a valid state"), gateways while they have targets, and all services
/// while a role is new.
const NOT_YET: &[&str] = &[
    "Retry the request when",
    "before deleting",
    "unable to assume",
    "cannot be assumed",
    "assume role",
    "assume the role",
];

/// A call that AWS did not carry out, or of which the answer was lost.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The code of the service, for instance `NoSuchEntity`.
    code: Option<String>,
    message: String,
    /// Whether it is worth asking again.
    passes: bool,
}

impl Refusal {
    pub(super) fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().map(str::to_owned);
        let message = error.message().map_or_else(|| causes(&error), str::to_owned);
        let named = code.as_deref().is_some_and(|code| PASSING.contains(&code));
        let lost = matches!(&error, SdkError::TimeoutError(_) | SdkError::ResponseError(_));
        // A connection that ends without an answer counts as anything but a mistake of whoever asks.
        let cut = matches!(&error, SdkError::DispatchFailure(failure) if !failure.is_user());
        let status = error.raw_response().map(HttpResponse::status);
        let busy = named || status.is_some_and(|status| status.is_server_error());
        let passes = lost || cut || busy;
        Self { code, message, passes }
    }

    /// What a service says under a code.
    #[cfg(test)]
    pub(super) fn coded(code: &str, passes: bool) -> Self {
        Self { code: Some(code.to_owned()), message: "said by a test".to_owned(), passes }
    }

    /// A document that is not one of ours.
    pub(super) fn unreadable(why: impl std::fmt::Display) -> Self {
        Self { code: None, message: why.to_string(), passes: false }
    }

    /// What is not there.
    pub(super) fn gone(why: &str) -> Self {
        Self { code: Some(GONE_ITSELF.to_owned()), message: why.to_owned(), passes: false }
    }

    /// What is there already.
    pub(super) fn taken(why: &str) -> Self {
        Self { code: Some(TAKEN_ITSELF.to_owned()), message: why.to_owned(), passes: false }
    }

    /// What is not there yet, and may be later.
    pub(super) fn early(why: &str) -> Self {
        Self { code: None, message: why.to_owned(), passes: true }
    }

    /// Whether it is worth asking the same again.
    pub(super) fn passes(&self) -> bool {
        self.passes
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    fn is_one_of(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// Whether what was asked for is not there, or not seen yet.
    pub(super) fn is_gone(&self) -> bool {
        self.is_one_of(GONE)
    }

    /// Whether something of that name is there.
    pub(super) fn is_taken(&self) -> bool {
        self.is_one_of(TAKEN)
    }

    /// What was just made is not seen everywhere at once: neither by those that name it, nor as a principal.
    fn is_early(&self) -> bool {
        let names_principal = self.is("MalformedPolicyDocument") && self.message.contains("\"AWS\"");
        let said = |words: &&str| self.message.contains(*words);
        let waits = self.is_one_of(INVALID) && NOT_YET.iter().any(said);
        self.is_gone() || names_principal || waits || self.is_one_of(BUSY)
    }

    fn reason(&self) -> String {
        self.code.as_ref().map_or_else(|| self.message.clone(), |code| format!("{code}: {}", self.message))
    }

    /// What it means for a change of a document.
    pub(super) fn about(self, address: &Address) -> WorldError {
        let reason = self.reason();
        match self.passes || self.is_early() {
            true => WorldError::Transient { reason, retry_after: None },
            false => WorldError::Refused { address: address.clone(), reason },
        }
    }

    /// What it means where no document is spoken of.
    pub(super) fn about_session(self) -> WorldError {
        let reason = self.reason();
        match self.passes {
            true => WorldError::Transient { reason, retry_after: None },
            false => WorldError::Broken(reason),
        }
    }
}

/// An error with everything that it says it comes from.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut told = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Many an error repeats what its cause says.
        if !told.last().is_some_and(|last| last.ends_with(&text)) {
            told.push(text);
        }
        next = cause.source();
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::error::ErrorMetadata;

    use super::*;

    fn said(status: u16, code: &str, message: &str) -> WorldError {
        let error = ErrorMetadata::builder().code(code).message(message).build();
        let answer = HttpResponse::new(status.try_into().unwrap(), "".into());
        Refusal::of(SdkError::service_error(error, answer)).about(&"iam/Role/r".parse().unwrap())
    }

    #[test]
    fn what_passes_is_asked_again_and_a_refusal_is_not() {
        for (status, code, message) in [
            (400, "Throttling", "Rate exceeded"),
            (409, "ConcurrentModification", "try again"),
            (500, "Unknown", "oops"),
            (503, "ServiceUnavailable", "later"),
            (404, "NoSuchEntity", "Role r not found"),
            (400, "MalformedPolicyDocument", r#"Invalid principal in policy: "AWS":"arn:aws:iam::1:role/r""#),
        ] {
            assert!(said(status, code, message).is_transient(), "{code}");
        }
        for (status, code, message) in [
            (403, "AccessDenied", "not authorized"),
            (409, "LimitExceeded", "too many"),
            (409, "DeleteConflict", "detach it first"),
            (400, "MalformedPolicyDocument", "Syntax errors in policy."),
            (400, "MalformedPolicyDocument", r#"Invalid principal in policy: "SERVICE":"x.amazonaws.com""#),
        ] {
            let WorldError::Refused { address, reason } = said(status, code, message) else {
                panic!("{code}")
            };
            assert_eq!((address.name.as_str(), reason), ("r", format!("{code}: {message}")));
        }
    }

    #[test]
    fn a_lost_answer_passes_and_a_mistake_of_ours_does_not() {
        type Lost = SdkError<ErrorMetadata, HttpResponse>;
        let about = |error: Lost| Refusal::of(error).about_session();
        assert!(about(Lost::timeout_error("late")).is_transient());
        let answer = HttpResponse::new(200.try_into().unwrap(), "half".into());
        assert!(about(Lost::response_error("cut", answer)).is_transient());
        use aws_sdk_iam::error::ConnectorError;
        let cut = |error| about(Lost::dispatch_failure(error)).is_transient();
        assert!(cut(ConnectorError::io("reset".into())) && cut(ConnectorError::other("closed".into(), None)));
        assert!(!cut(ConnectorError::user("no such host syntax".into())));
        assert!(!about(Lost::construction_failure("a member is missing")).is_transient());
    }
}
