//! Signed plans: what is refused before anybody asks the world, and what another implementation says of keys and signatures.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use super::{Done, aipolicy, copy_of, done, edit, plain, write};
use crate::harness::files_below;
use crate::harness::program::answer;
use crate::servers::{Aws, python};

/// Another implementation: the `cryptography` package of Python, which moto brings, and DSSE from its specification.
const OTHER: &str = "
import base64, hashlib, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Private
from cryptography.hazmat.primitives import serialization as form

what, *arguments = sys.argv[1:]
TYPE = 'application/vnd.aipolicy.plan+json'

def encoding(kind, payload):
    return b'DSSEv1 %d %s %d %s' % (len(kind), kind.encode(), len(payload), payload)

if what == 'keys':
    for name in arguments:
        key = Private.from_private_bytes(hashlib.sha256(name.encode()).digest())
        with open(name + '.pem', 'wb') as file:
            file.write(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
        with open(name + '.locked', 'wb') as file:
            locked = form.BestAvailableEncryption(b'word')
            file.write(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))
        with open(name + '.pub', 'wb') as file:
            file.write(key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
if what == 'open':
    envelope = json.load(open(arguments[0]))
    key = form.load_pem_public_key(open(arguments[1], 'rb').read())
    payload = base64.b64decode(envelope['payload'], validate=True)
    [signature] = envelope['signatures']
    key.verify(base64.b64decode(signature['sig'], validate=True), encoding(envelope['payloadType'], payload))
    assert envelope['payloadType'] == TYPE
    spki = key.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    assert signature['keyid'] == 'sha256:' + hashlib.sha256(spki).hexdigest()
    sys.stdout.write(payload.decode())
if what == 'sign':
    payload = open(arguments[0], 'rb').read()
    key = form.load_pem_private_key(open(arguments[1], 'rb').read(), None)
    spki = key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    envelope = {
        'payloadType': TYPE,
        'payload': base64.b64encode(payload).decode(),
        'signatures': [{
            'keyid': 'sha256:' + hashlib.sha256(spki).hexdigest(),
            'sig': base64.b64encode(key.sign(encoding(TYPE, payload))).decode(),
        }],
    }
    print(json.dumps(envelope, indent=2))
";

/// A workspace that trusts the key `release`, with the keys `release` and `other` beside it.
struct Site {
    _place: tempfile::TempDir,
    folder: PathBuf,
    keys: PathBuf,
}

impl Site {
    fn new() -> Self {
        let (place, folder) = copy_of("quickstart");
        let keys = folder.join(".keys");
        std::fs::create_dir(&keys).unwrap();
        let site = Self { _place: place, folder, keys };
        site.other(&["keys", "release", "other"]);
        site.trusts(&["release"]);
        site
    }

    /// Asks the other implementation, in the folder of the keys.
    #[track_caller]
    fn other(&self, arguments: &[&str]) -> String {
        let mut command = python();
        command.args(["-c", OTHER]).args(arguments).current_dir(&self.keys);
        answer(&mut command, "", "Python 3.11")
    }

    /// Says in the workspace which keys are trusted.
    fn trusts(&self, names: &[&str]) {
        let path = self.folder.join("aipolicy.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("  plans:\n").next().unwrap();
        let key = |name: &&str| {
            let key = std::fs::read_to_string(self.keys.join(format!("{name}.pub"))).unwrap();
            let key = key.trim_end().replace('\n', "\n          ");
            format!("      - name: {name}\n        publicKey: |\n          {key}\n")
        };
        let keys: String = names.iter().map(key).collect();
        std::fs::write(path, format!("{text}  plans:\n    keys:\n{keys}")).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Done {
        aipolicy(&self.folder, arguments)
    }

    /// Saves a plan that is signed by a key.
    #[track_caller]
    fn plan(&self, file: &str, key: &str) -> String {
        self.run(&["plan", "-e", "dev", "-o", file, "--sign-key", &format!(".keys/{key}.pem")]).expect(0)
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).unwrap()
    }

    /// Requires that a file is refused, and that nothing was done.
    #[track_caller]
    fn refuses(&self, file: &str, because: &str) {
        let before = self.world();
        let said = self.run(&["apply", "--plan", file]).expect(5);
        assert!(said.contains(because), "{said}");
        assert_eq!(self.world(), before, "nothing was done");
    }

    /// What the embedded world and the state hold.
    fn world(&self) -> Vec<(String, String)> {
        let folder = self.folder.join(".aipolicy");
        let read = |file: &String| std::fs::read_to_string(folder.join(file)).unwrap();
        let files = if folder.exists() { files_below(&folder) } else { Vec::new() };
        files.into_iter().map(|file| (file.clone(), read(&file))).collect()
    }
}

#[test]
fn a_signed_plan_is_applied_once_and_others_can_verify_it() {
    let site = Site::new();
    let said = site.plan("saved.json", "release");
    assert!(said.contains("saved, signed by sha256:"), "{said}");
    let payload = site.other(&["open", "../saved.json", "release.pub"]);
    site.run(&["plan", "-e", "dev", "-o", "plain.json"]).expect(0);
    assert_eq!(payload, site.text("plain.json"), "what is signed is the plan");
    let again = site.plan("again.json", "release");
    assert!(
        again.contains("signed by") && site.text("again.json") == site.text("saved.json"),
        "the same bytes"
    );
    site.run(&["apply", "--plan", "saved.json"]).expect(0);
    site.refuses("saved.json", "applied already");
    // Another signature makes no other plan of it.
    site.trusts(&["release", "other"]);
    let twice = site.other(&["sign", "../plain.json", "other.pem"]);
    write(&site.folder, "twice.json", twice);
    site.refuses("twice.json", "applied already");
}

#[test]
fn what_another_implementation_signs_is_applied() {
    let site = Site::new();
    let said = site.run(&["plan", "-e", "dev", "-o", "plain.json"]).expect(0);
    assert!(said.contains("saved and not signed"), "{said}");
    write(&site.folder, "signed.json", site.other(&["sign", "../plain.json", "release.pem"]));
    write(&site.folder, "theirs.json", site.other(&["sign", "../plain.json", "other.pem"]));
    site.refuses("plain.json", "it is not signed");
    site.refuses("theirs.json", "no trusted key");
    site.run(&["apply", "signed.json"]).expect(0);
    site.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_was_touched_is_refused() {
    let site = Site::new();
    site.plan("one.json", "release");
    edit(&site.folder, "gateway.yaml", "output: 1024", "output: 2048");
    site.plan("two.json", "release");
    let (one, two) = (site.text("one.json"), site.text("two.json"));
    // Bytes all over the file; each of them is tried on a small envelope by a test of the library.
    let step = two.len() / 40;
    for at in (0..two.len()).step_by(step).chain([1, 40, two.len() - 2, two.len() - 40, two.len() - 150]) {
        let mut touched = two.clone().into_bytes();
        touched[at] ^= 1;
        write(&site.folder, "touched.json", touched);
        site.refuses("touched.json", "the plan is refused");
    }
    let value = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let sig = |text: &str| value(text)["signatures"][0]["sig"].as_str().unwrap().to_owned();
    write(&site.folder, "touched.json", two.replace(&sig(&two), &sig(&one)));
    site.refuses("touched.json", "not for this content");
    let mut bare = value(&two);
    bare["signatures"] = json!([]);
    write(&site.folder, "touched.json", bare.to_string());
    site.refuses("touched.json", "its signature was taken away");
    write(&site.folder, "touched.json", site.other(&["open", "../two.json", "release.pub"]));
    site.refuses("touched.json", "it is not signed");
    write(&site.folder, "touched.json", b"\xff\xfe");
    site.refuses("touched.json", "it is no text");
    // A signature does not make an old plan a new one.
    site.refuses("one.json", "the sources changed");
    site.run(&["apply", "--plan", "two.json"]).expect(0);
}

#[test]
fn a_plan_is_for_its_workspace_and_environment() {
    let site = Site::new();
    site.plan("saved.json", "release");
    let said = site.run(&["apply", "--plan", "saved.json", "-e", "prod"]).expect(5);
    assert!(said.contains("for environment `dev`, not for `prod`"), "{said}");
    edit(&site.folder, "aipolicy.yaml", "name: quickstart", "name: elsewhere");
    site.refuses("saved.json", "for workspace `quickstart`, not for `elsewhere`");
    assert!(!site.folder.join(".aipolicy").exists());
}

#[test]
fn without_a_saved_plan_the_key_itself_is_shown() {
    let site = Site::new();
    let said = site.run(&["apply", "--yes"]).expect(5);
    assert!(said.contains("only signed plans are applied here") && said.contains("--sign-key"), "{said}");
    let said = site.run(&["apply", "--yes", "--sign-key", ".keys/other.pem"]).expect(1);
    assert!(said.contains("is not trusted here"), "{said}");
    assert!(!site.folder.join(".aipolicy").exists());
    let mut named = plain(&site.folder, &["apply", "--yes"]);
    done(named.env("AIPOLICY_SIGN_KEY_FILE", site.keys.join("release.pem"))).expect(0);
    edit(&site.folder, "gateway.yaml", "output: 1024", "output: 2048");
    site.run(&["apply", "--yes", "--sign-key", ".keys/release.pem"]).expect(0);
}

#[test]
fn a_key_from_outside_stands_against_a_checkout_that_names_another() {
    let site = Site::new();
    site.trusts(&["other"]);
    site.plan("theirs.json", "other");
    let apply = |file: &str| site.run(&["apply", "--plan", file, "--verify-key", ".keys/release.pub"]);
    let said = apply("theirs.json").expect(5);
    assert!(said.contains("no trusted key"), "{said}");
    let said = site.run(&["apply", "--yes", "--verify-key", ".keys/release.pub"]).expect(5);
    assert!(said.contains("only signed plans"), "{said}");
    assert!(!site.folder.join(".aipolicy").exists());
    // Where the workspace asks for nothing, the key from outside does.
    let text = site.text("aipolicy.yaml");
    write(&site.folder, "aipolicy.yaml", text.split("  plans:\n").next().unwrap());
    site.plan("ours.json", "release");
    let said = site.run(&["apply", "--plan", "ours.json"]).expect(1);
    assert!(said.contains("is signed, and no key is trusted"), "{said}");
    apply("theirs.json").expect(5);
    apply("ours.json").expect(0);
}

#[test]
fn of_many_that_apply_one_signed_plan_one_does() {
    let site = Site::new();
    for round in 0..3 {
        edit_round(&site.folder, round);
        site.plan("saved.json", "release");
        let start = || {
            let mut command = plain(&site.folder, &["apply", "--plan", "saved.json"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let all: Vec<_> = std::iter::repeat_with(start).take(8).collect();
        let ends: Vec<_> = all.into_iter().map(|mut one| one.wait().unwrap().code().unwrap()).collect();
        let won = ends.iter().filter(|end| **end == 0).count();
        assert!(won == 1 && ends.iter().all(|end| [0, 5, 6].contains(end)), "{ends:?}");
        site.run(&["plan", "--detailed-exitcode"]).expect(0);
        site.refuses("saved.json", "applied already");
    }
}

fn edit_round(folder: &Path, round: usize) {
    let bounds = ["output: 1024", "output: 2048", "output: 4096", "output: 8192"];
    edit(folder, "gateway.yaml", bounds[round], bounds[round + 1]);
}

#[test]
fn no_call_is_made_for_a_plan_that_is_refused() {
    let (site, server) = (Site::new(), Aws::start());
    edit(&site.folder, "environment.yaml", "  logging:", "  providers: { iam: aws }\n  logging:");
    let run = |arguments: &[&str]| {
        let mut command = plain(&site.folder, arguments);
        command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_ACCESS_KEY_ID", "AKIA111122223333");
        done(command.env("AWS_SECRET_ACCESS_KEY", "secret").env("HOME", &site.folder))
    };
    let calls = || server.ask("log", None).as_array().unwrap().len();
    run(&["plan", "-o", "saved.json", "--sign-key", ".keys/release.pem"]).expect(0);
    let before = calls();
    assert!(before > 0, "a plan looks");
    let text = site.text("saved.json");
    write(&site.folder, "touched.json", text.replacen("\"payload\": \"e", "\"payload\": \"f", 1));
    run(&["plan", "-o", "plain.json"]).expect(0);
    let before = before.max(calls());
    for (arguments, exit) in [
        (&["apply", "--plan", "touched.json"][..], 5),
        (&["apply", "--plan", "plain.json"], 5),
        (&["apply", "--plan", "saved.json", "--verify-key", ".keys/other.pub"], 5),
        (&["apply", "--yes"], 5),
        (&["apply", "--yes", "--sign-key", ".keys/other.pem"], 1),
    ] {
        run(arguments).expect(exit);
        assert_eq!(calls(), before, "{arguments:?}");
    }
    run(&["apply", "--plan", "saved.json"]).expect(0);
}

#[test]
fn keys_that_are_none_are_told_and_nothing_of_them_is() {
    let site = Site::new();
    let plan = |key: &str| site.run(&["plan", "-e", "dev", "-o", "x.json", "--sign-key", key]).expect(1);
    for (key, told) in [
        (".keys/release.locked", "behind a passphrase"),
        (".keys/release.pub", "only a private one signs"),
        (".keys/none.pem", "there is no such file"),
        ("agent.yaml", "no key of Ed25519"),
        (".keys/other.pem", "is not trusted here"),
    ] {
        let said = plan(key);
        assert!(said.contains(told), "{key}: {said}");
        let lines = std::fs::read_to_string(site.folder.join(key)).unwrap_or_default();
        let secret = lines.lines().filter(|line| line.len() > 40 && !line.contains(' '));
        secret.for_each(|line| assert!(!said.contains(line), "{said}"));
    }
    assert!(!site.folder.join("x.json").exists());
    let said = site.run(&["apply", "--plan", "aipolicy.yaml", "--verify-key", ".keys/release.pem"]).expect(1);
    assert!(said.contains("does not verify: it is a private key"), "{said}");
    // Where signatures are asked for and no key is named, nothing is trusted.
    site.trusts(&[]);
    edit(&site.folder, "aipolicy.yaml", "    keys:\n", "    keys: []\n");
    site.run(&["apply", "--yes"]).expect(5);
    // A line that is no key is a finding at its place.
    edit(&site.folder, "aipolicy.yaml", "keys: []", "keys: [{ name: release, publicKey: none }]");
    let said = site.run(&["check"]).expect(1);
    assert!(said.contains("no public key of Ed25519") && said.contains("aipolicy.yaml:"), "{said}");
}
