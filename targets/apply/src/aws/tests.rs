//! What the provider promises whatever the kind: nothing is touched that is not ours, or not as a plan has seen it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aipolicy_targets::artifact::Format;

use super::*;

/// Objects on a shelf: their texts, and whether they are ours.
#[derive(Default)]
struct Shelf {
    objects: Mutex<BTreeMap<String, (String, bool)>>,
    /// What only a list shows.
    elsewhere: Mutex<Vec<String>>,
    /// Where the next change stops, with this text left behind.
    stops_at: Mutex<Option<String>>,
    changes: Mutex<usize>,
}

impl Shelf {
    fn put(&self, name: &str, text: &str, owned: bool) {
        self.objects.lock().unwrap().insert(name.to_owned(), (text.to_owned(), owned));
    }

    fn text(&self, name: &str) -> Option<String> {
        self.objects.lock().unwrap().get(name).map(|(text, _)| text.clone())
    }

    fn changes(&self) -> usize {
        *self.changes.lock().unwrap()
    }
}

#[async_trait]
impl Kind for Shelf {
    async fn list(&self) -> Result<Vec<Observed>, Refusal> {
        let all = self.elsewhere.lock().unwrap().clone();
        Ok(all.iter().map(|name| Observed { document: document(name, "{}"), owned: false }).collect())
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, Refusal> {
        let name = &address.name;
        let found = self.objects.lock().unwrap().get(name).cloned();
        Ok(found.map(|(text, owned)| Observed { document: document(name, &text), owned }))
    }

    async fn create(&self, wanted: &Document) -> Result<(), Refusal> {
        let name = &wanted.address.name;
        if self.text(name).is_some() || self.elsewhere.lock().unwrap().contains(name) {
            return Err(Refusal::coded("EntityAlreadyExists", false));
        }
        self.put(name, &wanted.text, true);
        Ok(())
    }

    async fn adoption(&self, _wanted: &Document, _id: &str) -> Result<Adoption, Refusal> {
        Err(Refusal::unreadable("nobody asks for it here"))
    }

    async fn mark(&self, found: &Document) -> Result<(), Refusal> {
        self.put(&found.address.name, &found.text, true);
        Ok(())
    }

    fn is_begun(&self, found: &Document, _wanted: &Document) -> bool {
        found.text == BEGUN
    }

    async fn change(&self, found: &Document, wanted: &Document) -> Result<(), Refusal> {
        *self.changes.lock().unwrap() += 1;
        assert_eq!(
            self.text(&found.address.name).as_ref(),
            Some(&found.text),
            "what is there is handed over"
        );
        if let Some(left) = self.stops_at.lock().unwrap().take() {
            self.put(&wanted.address.name, &left, true);
            return Err(Refusal::coded("Throttling", true));
        }
        self.put(&wanted.address.name, &wanted.text, true);
        Ok(())
    }

    async fn remove(&self, found: &Document) -> Result<(), Refusal> {
        *self.changes.lock().unwrap() += 1;
        self.objects.lock().unwrap().remove(&found.address.name);
        Ok(())
    }
}

const BEGUN: &str = r#"{"half":true}"#;
const OLD: &str = r#"{"is":"old"}"#;
const NEW: &str = r#"{"is":"new"}"#;
const THEIRS: &str = r#"{"is":"changed by somebody"}"#;

fn document(name: &str, text: &str) -> Document {
    let address = format!("iam/Role/{name}").parse().unwrap();
    Document { address, format: Format::Json, text: text.to_owned() }
}

/// The provider with a shelf in the place of roles.
fn provider() -> (Aws, Arc<Shelf>) {
    let place = AwsPlace {
        partition: "aws".into(),
        account: "111122223333".into(),
        region: "eu-central-1".into(),
        regions: vec!["eu-central-1".into()],
        targets: vec!["iam"],
        workspace: "w".into(),
        environment: "prod".into(),
        prefix: "w-prod-".into(),
    };
    let shelf = Arc::new(Shelf::default());
    let kinds = BTreeMap::from([("iam/Role", Arc::clone(&shelf) as Arc<dyn Kind>)]);
    let account = Arc::new(Account::new(place.clone(), SdkConfig::builder().build()));
    (Aws { open: OnceCell::from(Open { account, kinds }), ..Aws::new(place) }, shelf)
}

#[tokio::test]
async fn what_is_not_as_it_was_planned_is_not_touched() {
    let (aws, shelf) = provider();
    let (wanted, planned) = (document("r", NEW), document("r", OLD).digest());
    shelf.put("r", THEIRS, true);
    let found = Some(document("r", THEIRS).digest());
    let changed =
        WorldError::Changed { address: wanted.address.clone(), expected: Some(planned.clone()), found };
    assert_eq!(aws.update(&wanted, &planned).await, Err(changed.clone()));
    assert_eq!(aws.delete(&wanted.address, &planned).await, Err(changed));
    shelf.put("r", OLD, false);
    assert_eq!(aws.update(&wanted, &planned).await, Err(WorldError::Foreign(wanted.address.clone())));
    assert_eq!(aws.delete(&wanted.address, &planned).await, Err(WorldError::Foreign(wanted.address.clone())));
    assert_eq!(shelf.changes(), 0);
    shelf.put("r", OLD, true);
    assert_eq!(aws.update(&wanted, &planned).await, Ok(()));
    assert_eq!(shelf.text("r").as_deref(), Some(NEW));
}

#[tokio::test]
async fn what_is_adopted_is_what_was_seen_and_stays_as_it_is() {
    let (aws, shelf) = provider();
    let (address, seen) = (document("r", OLD).address, document("r", OLD).digest());
    shelf.put("r", THEIRS, false);
    let found = Some(document("r", THEIRS).digest());
    let changed = WorldError::Changed { address: address.clone(), expected: Some(seen.clone()), found };
    assert_eq!(aws.adopt(&address, &seen).await, Err(changed));
    assert_eq!(aws.read(&address).await.unwrap().map(|found| found.owned), Some(false));
    shelf.put("r", OLD, false);
    // Asked twice, since an answer may be lost.
    for _ in 0..2 {
        assert_eq!(aws.adopt(&address, &seen).await, Ok(()));
        let found = aws.read(&address).await.unwrap().unwrap();
        assert_eq!((found.document.text.as_str(), found.owned), (OLD, true));
    }
    assert_eq!(shelf.changes(), 0);
    let gone = aws.adopt(&document("s", OLD).address, &seen).await.unwrap_err();
    assert!(matches!(gone, WorldError::Changed { found: None, .. }), "{gone}");
}

#[test]
fn whatever_carries_no_mark_is_a_part_or_a_setting() {
    for life in lives::all() {
        let says = [life.tags.is_some(), life.whole.is_some(), life.is_setting];
        assert!(says.contains(&true), "{:?}: nothing could say whose it is", life.words);
    }
}

#[test]
fn tags_tell_whose_something_is() {
    let place = provider().0.place;
    let others = |tags: &[(&str, &str)]| {
        place.others(&tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    };
    assert_eq!(others(&[]), None);
    assert_eq!(others(&[("cost", "theirs"), ("aipolicy:workspace", "w")]), None);
    assert_eq!(others(&[("aipolicy:workspace", "w"), ("aipolicy:environment", "prod")]), None);
    let told = others(&[("aipolicy:workspace", "w"), ("aipolicy:environment", "dev")]).unwrap();
    assert_eq!(told, "the environment `dev` of the workspace `w`");
    assert!(others(&[("aipolicy:workspace", "v")]).unwrap().contains("`v`"));
    assert!(others(&[("aws:cloudformation:stack-name", "s")]).unwrap().contains("the stack `s`"));
}

#[tokio::test]
async fn what_is_so_already_is_fine_and_what_is_gone_is_not_changed() {
    let (aws, shelf) = provider();
    let (wanted, planned) = (document("r", NEW), document("r", OLD).digest());
    shelf.put("r", NEW, true);
    assert_eq!(aws.update(&wanted, &planned).await, Ok(()));
    assert_eq!(shelf.changes(), 0);
    assert_eq!(aws.delete(&document("s", OLD).address, &planned).await, Ok(()));
    let gone = aws.update(&document("s", NEW), &planned).await.unwrap_err();
    assert!(matches!(gone, WorldError::Changed { found: None, .. }), "{gone}");
}

#[tokio::test]
async fn a_change_that_was_cut_off_goes_on_unless_somebody_came_between() {
    let (aws, shelf) = provider();
    let (wanted, planned) = (document("r", NEW), document("r", OLD).digest());
    for (between, expected) in [(BEGUN, true), (THEIRS, false)] {
        shelf.put("r", OLD, true);
        *shelf.stops_at.lock().unwrap() = Some(BEGUN.into());
        assert!(aws.update(&wanted, &planned).await.unwrap_err().is_transient());
        shelf.put("r", between, true);
        assert_eq!(aws.update(&wanted, &planned).await.is_ok(), expected, "{between}");
        assert_eq!(shelf.text("r").as_deref() == Some(NEW), expected, "{between}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_ours_and_begun_or_not_touched() {
    let (aws, shelf) = provider();
    let wanted = document("r", NEW);
    for (text, owned) in [(NEW, true), (BEGUN, true)] {
        shelf.put("r", text, owned);
        assert_eq!(aws.create(&wanted).await, Ok(()), "{text}");
        assert_eq!(shelf.text("r").as_deref(), Some(NEW));
    }
    shelf.put("r", THEIRS, true);
    let changed = aws.create(&wanted).await.unwrap_err();
    assert!(matches!(changed, WorldError::Changed { expected: None, found: Some(_), .. }), "{changed}");
    for text in [NEW, BEGUN] {
        shelf.put("r", text, false);
        assert_eq!(aws.create(&wanted).await, Err(WorldError::Foreign(wanted.address.clone())), "{text}");
        assert_eq!(shelf.text("r").as_deref(), Some(text));
    }
    // Elsewhere is somebody's; what is to be found nowhere is not seen yet.
    shelf.objects.lock().unwrap().clear();
    shelf.elsewhere.lock().unwrap().push("r".into());
    assert_eq!(aws.create(&wanted).await, Err(WorldError::Foreign(wanted.address.clone())));
}

#[tokio::test]
async fn a_kind_that_is_not_applied_has_no_provider() {
    let (aws, _) = provider();
    let other = Document { address: "iam/EndpointPolicy/e".parse().unwrap(), ..document("r", NEW) };
    assert_eq!(aws.create(&other).await, Err(WorldError::NoProvider(other.address.clone())));
}
