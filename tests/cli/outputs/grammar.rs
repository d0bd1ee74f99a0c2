//! Workflow commands of GitHub, read as its runner documents and reads them.

use std::collections::BTreeMap;

use super::{check, clean, hostile, json, refused};

/// A command that the runner would carry out.
#[derive(Debug)]
struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    message: String,
}

/// Reads a line as the runner does: `::name key=value,key=value::message`, after blanks. Within a message `%25`, `%0D` and
/// `%0A` are escapes, within a property also `%3A` and `%2C`.
fn command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let message_escapes: &[(&str, &str)] = &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
    let property_escapes: &[(&str, &str)] =
        &[("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
    let read = |text: &str, escapes: &[(&str, &str)]| {
        escapes.iter().fold(text.to_owned(), |text, (code, letter)| text.replace(code, letter))
    };
    let pairs = properties.split(',').filter_map(|pair| pair.split_once('='));
    let properties = pairs.map(|(key, value)| (key.trim().to_owned(), read(value, property_escapes)));
    Some(Command {
        name: name.to_owned(),
        properties: properties.collect(),
        message: read(message, message_escapes),
    })
}

/// What the runner does with an output. The old form `##[name]` is one too.
fn commands(output: &str) -> Vec<Command> {
    assert!(!output.contains("##["), "{output}");
    output.split(['\n', '\r']).filter_map(command).collect()
}

#[test]
fn an_annotation_for_each_finding_and_none_that_somebody_smuggled() {
    for (what, (_place, folder), exit) in
        [("clean", clean(), 0), ("refused", refused(), 3), ("hostile", hostile(), 1)]
    {
        let done = check(&folder, "github");
        done.expect(exit);
        let commands = commands(&done.out);
        let found = json(&check(&folder, "json"));
        let findings = found["findings"].as_array().unwrap();
        let located: Vec<_> = commands.iter().filter(|one| !one.properties.is_empty()).collect();
        assert_eq!(located.len(), findings.len(), "{what}");
        assert_eq!(commands.len(), findings.len() + found["notRun"].as_array().unwrap().len(), "{what}");
        for one in located {
            let says = |finding: &&serde_json::Value| {
                let title =
                    format!("{}: {}", finding["code"].as_str().unwrap(), finding["name"].as_str().unwrap());
                one.properties["title"] == title
                    && one.message.starts_with(finding["message"].as_str().unwrap())
            };
            assert!(findings.iter().any(|finding| says(&finding)), "{what}: {one:?}");
            assert!(folder.join(&one.properties["file"]).is_file(), "{what}: {one:?}");
            assert!(
                one.properties
                    .keys()
                    .all(|key| ["file", "line", "endLine", "col", "endColumn", "title"]
                        .contains(&key.as_str()))
            );
        }
    }
}

#[test]
fn what_stops_is_told_first() {
    let (_place, folder) = refused();
    let commands = commands(&check(&folder, "github").out);
    let names: Vec<_> = commands.iter().map(|one| one.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_by_key(|name| ["error", "warning", "notice"].iter().position(|known| known == name));
    assert_eq!((names[0], &names), ("error", &sorted));
}

#[test]
fn the_grammar_sees_what_is_smuggled() {
    let commands = commands("fine\n ::error file=a%2Cb,line=1::x%0Ay\nx ::error::no\r::notice::carriage");
    assert_eq!(commands.len(), 2);
    assert_eq!((commands[0].properties["file"].as_str(), commands[0].message.as_str()), ("a,b", "x\ny"));
    assert_eq!(commands[1].name, "notice");
}
