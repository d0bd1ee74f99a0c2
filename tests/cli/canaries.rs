//! Secrets that aipolicy is given, and those that somebody wrote where they do not belong: none is in anything that it writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{copy_of, done, edit, plain, write};
use crate::harness::files_below;
use crate::servers::Aws;

const ACCOUNT: &str = "111122223333";

/// The name of each variable that holds a secret, and its canary.
const VARIABLES: [(&str, &str); 3] = [
    ("AWS_SECRET_ACCESS_KEY", "canary1secret1access1key1111111111111111"),
    ("AWS_SESSION_TOKEN", "canary2session2token222222222222222222222222"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary3container3token33333333333333333333"),
];
/// Those in files: a profile, what a process of credentials says, and the key that signs.
const PROFILE: &str = "canary4profile4secret4444444444444444444";
const PROCESS: &str = "canary5process5secret5555555555555555555";
/// The key of RFC 8410, section 10.
const SIGNING: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
const PUBLIC: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
/// The password in an address that somebody names.
const PASSWORD: &str = "canary6password66666";

struct Site {
    server: Aws,
    _place: tempfile::TempDir,
    folder: PathBuf,
    /// What was said so far.
    said: String,
}

impl Site {
    fn new() -> Self {
        let (place, folder) = copy_of("quickstart");
        let state = "state: { s3: { bucket: acme-state, region: eu-central-1 } }\n  plans: { keys: [{ name: r, publicKey: KEY }] }";
        edit(&folder, "aipolicy.yaml", "state: { local: .aipolicy }", &state.replace("KEY", PUBLIC));
        edit(&folder, "environment.yaml", "  logging:", "  providers: { iam: aws }\n  logging:");
        let secrets = folder.join(".secrets");
        let config = format!(
            "[profile named]\naws_access_key_id = AKIA{ACCOUNT}\naws_secret_access_key = {PROFILE}\n\
             [profile asked]\ncredential_process = {}/process\n",
            secrets.display()
        );
        let process =
            json!({ "Version": 1, "AccessKeyId": format!("AKIA{ACCOUNT}"), "SecretAccessKey": PROCESS });
        write(&folder, ".secrets/config", config);
        write(&folder, ".secrets/process", format!("#!/bin/sh\necho '{process}'\n"));
        write(
            &folder,
            ".secrets/key.pem",
            format!("-----BEGIN PRIVATE KEY-----\n{SIGNING}\n-----END PRIVATE KEY-----\n"),
        );
        let mut executable = Command::new("chmod");
        assert!(executable.args(["+x", "process"]).current_dir(secrets).status().unwrap().success());
        let server = Aws::start();
        let bucket = json!({ "Bucket": "acme-state", "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" } });
        server.calls(ACCOUNT, &[json!(["s3", "create_bucket", bucket])]);
        Self { server, _place: place, folder, said: String::new() }
    }

    /// Runs a command with all secrets around it, and keeps what it says.
    fn run(&mut self, arguments: &[&str], more: &[(&str, &str)]) -> i32 {
        let mut command = plain(&self.folder, arguments);
        command.envs(VARIABLES).env("AWS_ACCESS_KEY_ID", format!("AKIA{ACCOUNT}"));
        command.env("AWS_ENDPOINT_URL", &self.server.address).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", self.folder.join(".secrets/config")).env("HOME", &self.folder);
        command.env("AIPOLICY_SIGN_KEY_FILE", self.folder.join(".secrets/key.pem"));
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        if more.iter().any(|(name, _)| *name == "AWS_PROFILE") {
            for (name, _) in VARIABLES {
                command.env_remove(name);
            }
            command.env_remove("AWS_ACCESS_KEY_ID");
        }
        let done = done(command.envs(more.iter().copied()));
        self.said.push_str(&format!("$ {arguments:?} {more:?}: {}\n{}{}", done.exit, done.out, done.err));
        done.exit
    }

    /// Everything that was said and written, here and at the service.
    fn everything(&self) -> String {
        let mut all = self.said.clone();
        for file in files_below(&self.folder).into_iter().filter(|file| !file.starts_with(".secrets/")) {
            all.push_str(&String::from_utf8_lossy(&std::fs::read(self.folder.join(file)).unwrap()));
        }
        all + &below(&self.folder.join(".aipolicy")) + &self.server.ask("log", None).to_string()
    }
}

fn below(folder: &Path) -> String {
    let read =
        |file: String| String::from_utf8_lossy(&std::fs::read(folder.join(file)).unwrap()).into_owned();
    if folder.exists() { files_below(folder).into_iter().map(read).collect() } else { String::new() }
}

#[test]
fn no_secret_is_in_anything_that_is_written() {
    let mut site = Site::new();
    assert_eq!(
        site.run(
            &["plan", "-o", "signed.json", "--output", "json=plan.json", "--output", "sarif=plan.sarif"],
            &[]
        ),
        0
    );
    for format in ["text", "json", "markdown", "sarif", "junit", "gitlab"] {
        site.run(&["plan", "--format", format], &[]);
    }
    site.server
        .ask("config", Some(&json!({ "throttle": { "iam:CreateRole": 2 }, "drop": { "s3:PutObject": 2 } })));
    assert_eq!(site.run(&["apply", "--plan", "signed.json"], &[]), 0);
    assert_eq!(site.run(&["apply", "--plan", "signed.json"], &[]), 5);
    assert_eq!(site.run(&["apply", "--yes"], &[]), 0);
    for profile in ["named", "asked"] {
        assert_eq!(site.run(&["state", "show"], &[("AWS_PROFILE", profile)]), 0);
        assert_eq!(site.run(&["plan"], &[("AWS_PROFILE", profile)]), 0);
    }
    site.run(&["prove", "least-privilege", "--actual"], &[]);
    // What goes wrong is told, and tells nothing of that.
    let denied = json!([{ "code": "SignatureDoesNotMatch", "message": "no", "status": 403 }]);
    site.server
        .ask("config", Some(&json!({ "fail": { "s3:GetObject": denied, "sts:GetCallerIdentity": denied } })));
    assert_eq!(site.run(&["plan"], &[]), 1);
    assert_eq!(site.run(&["plan"], &[]), 1);
    let nowhere = format!("http://somebody:{PASSWORD}@127.0.0.1:9");
    assert_eq!(site.run(&["plan"], &[("AWS_ENDPOINT_URL", nowhere.as_str())]), 1);
    let proxy = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("HTTP_PROXY", nowhere.as_str())];
    assert_eq!(site.run(&["plan"], &proxy), 1);
    for wrong in ["AWS_PROFILE", "AIPOLICY_SIGN_KEY_FILE"] {
        site.run(&["plan", "-o", "x.json"], &[(wrong, ".secrets/config")]);
    }
    let everything = site.everything();
    let half = |secret: &str| secret[20..].to_owned();
    let secrets = VARIABLES.iter().map(|(_, secret)| *secret).chain([PROFILE, PROCESS, SIGNING]);
    for secret in secrets.map(half) {
        assert!(!everything.contains(&secret), "{secret} in {}", around(&everything, &secret));
    }
    // The command lines above name the password, so only what came of them is looked at.
    let came = everything.replace(&nowhere, "");
    assert!(!came.contains(PASSWORD), "{}", around(&came, PASSWORD));
    // The canaries would be seen: what is no secret is.
    assert!(everything.contains(ACCOUNT) && everything.contains("s3://acme-state/dev/"));
}

fn around<'t>(text: &'t str, found: &str) -> &'t str {
    let at = text.find(found).unwrap_or(0);
    let start = (0..=at.saturating_sub(300)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[start..at]
}

/// Credentials that somebody wrote into a workspace, as values of any kind, names of fields, and texts that are no YAML.
const WRITTEN: [&str; 8] = [
    "AKIACANARYCANARY1234",
    "ghp_canarycanarycanarycanarycanary123456",
    "sk-canarycanarycanarycanary",
    "xoxb-canarycanary",
    "eyJcanarycanary.eyJcanarycanary",
    "ABSKcanarycanarycanarycanarycanarycanarycanarycanary",
    "https://somebody:canarycanary@example.com/",
    "-----BEGIN PRIVATE KEY-----\\nMC4canarycanarycanarycanarycanary\\n-----END PRIVATE KEY-----",
];

#[test]
fn a_credential_in_a_workspace_is_found_and_never_shown() {
    let (_place, folder) = copy_of("quickstart");
    let head = "apiVersion: aipolicy.dev/v1\nkind: DataStore\n";
    let forms: [fn(&str) -> String; 5] = [
        |written| format!("metadata: {{ name: x, description: \"{written}\" }}\nspec: {{ log: {{}} }}\n"),
        |written| {
            format!(
                "metadata: {{ name: \"{written}\" }}\nspec: {{ region: \"{written}\", holds: \"{written}\" }}\n"
            )
        },
        |written| {
            format!("metadata: {{ name: x }}\nspec: {{ \"{written}\": 1, retention: \"{written}\" }}\n")
        },
        |written| format!("metadata: {{ name: x }}\nspec: [ \"{written}\"\n"),
        |written| format!("\"{written}\": \"{written}\"\n"),
    ];
    let hidden = |command: &[&str]| {
        let said = done(&mut plain(&folder, command));
        let text = format!("{}{}", said.out, said.err).to_lowercase();
        assert!(!text.contains("canarycanary"), "{command:?}: {}", around(&text, "canarycanary"));
        said
    };
    for form in forms {
        for (number, written) in WRITTEN.iter().enumerate() {
            write(&folder, &format!("written-{number}.yaml"), format!("{head}{}", form(written)));
        }
        for format in ["text", "json", "sarif", "junit", "github", "summary", "gitlab"] {
            let said = hidden(&["check", "--format", format]);
            assert!(
                said.exit != 0 && (0..8).all(|number| said.out.contains(&format!("written-{number}.yaml")))
            );
        }
        for command in [&["plan"][..], &["apply", "--yes"], &["build"], &["diff", ".", "."], &["why", "x#/y"]]
        {
            hidden(command);
        }
    }
}
