//! The JSON Schemas of the kinds are fresh, and accept and refuse the same documents as the reader.

use std::collections::BTreeSet;

use aipolicy_compiler::model::{KindName, kind_schema, workspace_schema};
use aipolicy_compiler::source::{SourceKind, SourceMap};
use jsonschema::{Draft, Validator};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::corpus::{Sampler, mutants};
use super::{example_files, is_refused, reading};
use crate::harness::golden::expect_file;
use crate::harness::tries;

/// How many documents are made of each kind: more than any choice has alternatives.
const SAMPLES: usize = 12;

#[test]
fn schemas_of_the_repository_are_fresh() {
    for kind in KindName::ALL {
        expect_file(format!("schemas/{}", kind.schema_file()), &pretty(&kind_schema(*kind)));
    }
    expect_file("schemas/aipolicy.schema.json", &pretty(&workspace_schema()));
}

fn pretty(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).unwrap() + "\n"
}

#[test]
fn schemas_refer_to_each_other_by_the_names_of_their_files() {
    let id = |schema: &Value| schema["$id"].as_str().unwrap().to_owned();
    let base = "https://aipolicy.dev/v1/";
    let workspace = workspace_schema();
    assert_eq!(id(&workspace), format!("{base}aipolicy.schema.json"));
    let named: Vec<_> =
        workspace["allOf"].as_array().unwrap().iter().map(|one| &one["then"]["$ref"]).collect();
    let ids: Vec<_> = KindName::ALL.iter().map(|kind| id(&kind_schema(*kind)).replace(base, "")).collect();
    assert_eq!(named, ids.iter().collect::<Vec<_>>());
    let files: Vec<_> = KindName::ALL.iter().map(|kind| kind.schema_file()).collect();
    assert_eq!(ids, files);
    assert!(files.contains(&"data-class.schema.json".to_owned()), "{files:?}");
}

#[test]
fn no_schema_leaves_a_reference_open() {
    for kind in KindName::ALL {
        let schema = kind_schema(*kind);
        let text = schema.to_string();
        let named: BTreeSet<&str> =
            text.split("\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let defined: BTreeSet<&str> =
            schema["$defs"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(named, defined, "{kind}");
        assert!(!text.contains("\"null\""), "{kind}: nothing may be null");
    }
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(schema).unwrap()
}

/// The schema that editors are given, with the schemas that it refers to.
fn workspace_validator() -> Validator {
    let base = "https://aipolicy.dev/v1/";
    let resource = |kind: &KindName| {
        (format!("{base}{}", kind.schema_file()), jsonschema::Resource::from_contents(kind_schema(*kind)))
    };
    let registry =
        jsonschema::Registry::new().extend(KindName::ALL.iter().map(resource)).unwrap().prepare().unwrap();
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.with_registry(&registry).build(&workspace_schema()).unwrap()
}

fn read_json(text: &str) -> Result<Value, String> {
    let mut sources = SourceMap::new();
    let id = sources.add("one.yaml", text, SourceKind::Referenced);
    aipolicy_compiler::read_json(&sources, id).map_err(|found| format!("{found:?}"))
}

#[test]
fn schemas_accept_every_document_of_the_examples() {
    let whole = workspace_validator();
    let mut count = 0;
    let resources = example_files(&[".yaml"]);
    for (path, text) in resources.into_iter().filter(|(path, _)| SourceKind::is_resources(path)) {
        for document in format!("\n{text}").split("\n---") {
            let Ok(value) = read_json(document) else { continue };
            let kind = KindName::find(value["kind"].as_str().unwrap()).unwrap();
            let told: Vec<_> =
                validator(&kind_schema(kind)).iter_errors(&value).map(|one| one.to_string()).collect();
            assert!(told.is_empty() && whole.is_valid(&value), "{path}: {told:?}\n{document}");
            assert!(!is_refused(document), "{path}: {:?}", reading(document));
            count += 1;
        }
    }
    assert!(count > 60, "the examples have only {count} documents");
}

fn samples(kind: KindName) -> Vec<Value> {
    let schema = kind_schema(kind);
    (0..SAMPLES).map(|turn| Sampler::new(&schema, turn).sample(&schema)).collect()
}

#[test]
fn the_reader_accepts_whatever_a_schema_describes() {
    KindName::ALL.par_iter().for_each(|kind| {
        let schema = validator(&kind_schema(*kind));
        for sample in samples(*kind) {
            for text in [sample.to_string(), serde_saphyr::to_string(&sample).unwrap()] {
                assert_eq!(read_json(&text).as_ref(), Ok(&sample), "{text}");
                assert!(schema.is_valid(&sample), "{kind}: the sampler made {sample}");
                let found = reading(&text);
                assert!(found.is_empty(), "{kind}: {:?}\n{text}", found.iter().next());
            }
        }
    });
}

#[test]
fn the_reader_and_the_schemas_refuse_the_same() {
    let whole = workspace_validator();
    let told: Vec<_> = KindName::ALL.par_iter().map(|kind| disagreements(*kind, &whole)).collect();
    let (checked, told): (Vec<usize>, Vec<Vec<String>>) = told.into_iter().unzip();
    let told: Vec<_> = told.into_iter().flatten().collect();
    println!("{} mutated documents", checked.iter().sum::<usize>());
    let shown: Vec<_> = told.iter().take(40).cloned().collect();
    assert!(told.is_empty(), "{} disagreements:\n{}", told.len(), shown.join("\n"));
}

/// One in seventeen mutants is compared in an ordinary run, and all of them with `AIPOLICY_CASES` of 9,000 and more.
///
/// How many mutants of a kind were compared, and those on which reader and schema disagree.
fn disagreements(kind: KindName, whole: &Validator) -> (usize, Vec<String>) {
    let schema = validator(&kind_schema(kind));
    let samples = samples(kind);
    let step = if tries(0) >= 9_000 { 1 } else { 17 };
    let (mut seen, mut told) = (BTreeSet::new(), Vec::new());
    for (sample, other) in samples.iter().zip(samples.iter().cycle().skip(1)) {
        for mutant in mutants(sample, other) {
            let what = mutant.what.clone();
            if !seen.insert(what.clone()) || !seen.len().is_multiple_of(step) {
                continue;
            }
            let document = mutant.of(sample);
            // A document that is null is an empty one, and there may be empty ones between others.
            if document.is_null() {
                continue;
            }
            let (refused, valid) = (is_refused(&document.to_string()), schema.is_valid(&document));
            let agrees = !seen.len().is_multiple_of(51) || whole.is_valid(&document) == valid;
            if refused == valid || !agrees {
                let reader = if refused { "refuses" } else { "accepts" };
                told.push(format!("{kind}: the reader {reader} {what}"));
            }
        }
    }
    (seen.len() / step, told)
}

/// A schema sees the number and not its notation; the reader wants the one notation that JSON has too.
#[test]
fn numbers_have_one_notation_for_the_reader() {
    let text = |number: &str| {
        format!(
            "apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: {{ name: a }}\nspec: {{ members: [], required: {number} }}\n"
        )
    };
    let schema = validator(&kind_schema(KindName::Group));
    for number in ["2.0", "+2", "0x2", "0o2", "2e0", "02"] {
        assert!(schema.is_valid(&read_json(&text(number)).unwrap()), "{number}");
        assert!(is_refused(&text(number)), "{number}");
    }
    for number in [".inf", "-.inf", ".nan", "1e999"] {
        assert!(is_refused(&text(number)) && read_json(&text(number)).is_err(), "{number}");
    }
    assert!(!is_refused(&text("2")));
    assert_eq!(
        read_json("[1e3, 18446744073709551616]").unwrap(),
        json!([1000.0, 18_446_744_073_709_551_616.0])
    );
}
