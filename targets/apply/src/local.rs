//! The provider `local`: a folder that plays the cloud, with plain files that people can read and compare.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aipolicy_targets::artifact::{Address, Document, Format};
use aipolicy_targets::plan::{AlarmState, Observed};
use async_trait::async_trait;

use crate::adoption::{Adoption, Free, NotAdopted};
use crate::folder::{Folder, Kind};
use crate::marks::{self, MarkWriter, Marks};
use crate::provider::{Known, Provider, WorldError};

/// A world in a folder: `<root>/<target>/<Kind>/<name>.<extension>`, one root per environment.
///
/// Which files are ours is written in `<root>/.owned.json`; a file that is not in it is never changed or removed. A mark
/// is set before its file is made and taken away after its file is removed, so whatever a crash leaves is still known to
/// be ours. Links are refused wherever they are met.
#[derive(Clone)]
pub struct Local {
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    workspace: String,
    marks: MarkWriter,
    swept: Mutex<bool>,
}

impl Local {
    /// The world of an environment in `root`, for a workspace. Nothing is read or written yet.
    pub fn new(root: impl Into<PathBuf>, workspace: impl Into<String>) -> Self {
        let (root, workspace) = (root.into(), workspace.into());
        Self {
            shared: Arc::new(Shared {
                root,
                workspace,
                marks: MarkWriter::default(),
                swept: Mutex::default(),
            }),
        }
    }

    /// Files are read and written where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, WorldError> + Send + 'static,
    ) -> Result<T, WorldError> {
        let shared = Arc::clone(&self.shared);
        let joined = tokio::task::spawn_blocking(move || work(&shared)).await;
        joined.unwrap_or_else(|error| Err(WorldError::Broken(error.to_string())))
    }
}

#[async_trait]
impl Provider for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn observe(&self, _known: &Known) -> Result<Vec<Observed>, WorldError> {
        self.blocking(Shared::observe).await
    }

    /// Nothing runs in a folder, so nothing goes wrong there.
    async fn alarms(&self, addresses: &[Address]) -> Result<BTreeMap<Address, AlarmState>, WorldError> {
        Ok(addresses.iter().map(|address| (address.clone(), AlarmState::Quiet)).collect())
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, WorldError> {
        let address = address.clone();
        self.blocking(move |shared| shared.read(&address)).await
    }

    async fn adoption(&self, document: &Document, id: &str) -> Result<Adoption, WorldError> {
        let (document, id) = (document.clone(), id.to_owned());
        self.blocking(move |shared| shared.adoption(&document, &id)).await
    }

    async fn adopt(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        let (address, expected) = (address.clone(), expected_digest.to_owned());
        self.blocking(move |shared| shared.adopt(&address, &expected)).await
    }

    async fn create(&self, document: &Document) -> Result<(), WorldError> {
        let document = document.clone();
        self.blocking(move |shared| shared.create(&document)).await
    }

    async fn update(&self, document: &Document, expected_digest: &str) -> Result<(), WorldError> {
        let (document, expected) = (document.clone(), expected_digest.to_owned());
        self.blocking(move |shared| shared.update(&document, &expected)).await
    }

    async fn delete(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        let (address, expected) = (address.clone(), expected_digest.to_owned());
        self.blocking(move |shared| shared.delete(&address, &expected)).await
    }
}

impl Shared {
    fn observe(&self) -> Result<Vec<Observed>, WorldError> {
        let Some(root) = Folder::open(&self.root)? else { return Ok(Vec::new()) };
        let marks = marks::read(&root)?;
        let mut found: BTreeMap<Address, Observed> = BTreeMap::new();
        for (target, kinds) in folders(&root)? {
            for (kind, files) in folders(&kinds)? {
                for (file, _) in files.entries()?.into_iter().filter(|(_, kind)| *kind == Kind::File) {
                    let Some((address, format)) = address_of(&target, &kind, &file) else { continue };
                    let Some(bytes) = files.read(&file)? else { continue };
                    let observed = self.observed(document(address, format, &bytes), &marks);
                    prefer_ours(&mut found, observed);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The document at an address, whatever its format; ours before any other.
    fn read(&self, address: &Address) -> Result<Option<Observed>, WorldError> {
        let Some(root) = Folder::open(&self.root)? else { return Ok(None) };
        let Some(files) = existing_folder(&root, address)? else { return Ok(None) };
        let marks = marks::read(&root)?;
        let mut found = BTreeMap::new();
        for format in [Format::Json, Format::Yaml, Format::Text] {
            let empty = document(address.clone(), format, &[]);
            let file = file_name(&empty);
            if address_of(&address.target, &address.kind, &file) != Some((address.clone(), format)) {
                continue;
            }
            if let Some(bytes) = files.read(&file)? {
                prefer_ours(&mut found, self.observed(document(address.clone(), format, &bytes), &marks));
            }
        }
        Ok(found.remove(address))
    }

    fn observed(&self, document: Document, marks: &Marks) -> Observed {
        let owned = marks.get(&document.file()).is_some_and(|workspace| *workspace == self.workspace);
        Observed { document, owned }
    }

    /// A file is called by its way below the root, by its own name, or by that without its extension.
    fn adoption(&self, wanted: &Document, id: &str) -> Result<Adoption, WorldError> {
        let expected = format!("the file `{}`", wanted.file());
        let absent = || Adoption::No(NotAdopted::Absent { expected: expected.clone() });
        let Some(root) = Folder::open(&self.root)? else { return Ok(absent()) };
        let is_called = |document: &Document| {
            [document.file(), file_name(document), document.address.name.clone()]
                .iter()
                .any(|name| name == id)
        };
        let found = self.read(&wanted.address)?.filter(|found| is_called(&found.document));
        let Some(Observed { document, owned }) = found else {
            let others = self.observe()?.into_iter().map(|found| found.document);
            let mut others = others.filter(|other| other.address.word() == wanted.address.word());
            return Ok(others.find(is_called).map_or_else(absent, |other| {
                let why = "a plan finds it by its name alone: rename it".to_owned();
                let found = format!("the file `{}`", other.file());
                Adoption::No(NotAdopted::Other { found, expected: expected.clone(), why })
            }));
        };
        if owned {
            return Ok(Adoption::Ours);
        }
        if let Some(workspace) = marks::read(&root)?.get(&document.file()) {
            return Ok(Adoption::No(NotAdopted::OfOthers { whose: format!("the workspace `{workspace}`") }));
        }
        Ok(Adoption::Free(Free {
            object: document.file(),
            mark: format!("an entry in `{}`", marks::FILE),
            found: document.clone(),
            marked: document,
        }))
    }

    fn adopt(&self, address: &Address, expected: &str) -> Result<(), WorldError> {
        let found = self.read(address)?;
        let Some(observed) =
            found.as_ref().filter(|found| found.owned || found.document.digest() == expected)
        else {
            return Err(changed(address, Some(expected), found.as_ref()));
        };
        let root = self.root()?;
        match marks::read(&root)?.get(&observed.document.file()) {
            None => self.marks.mark(&root, &observed.document.file(), &self.workspace),
            Some(workspace) if *workspace == self.workspace => Ok(()),
            Some(_) => Err(WorldError::Foreign(address.clone())),
        }
    }

    fn create(&self, wanted: &Document) -> Result<(), WorldError> {
        match self.read(&wanted.address)? {
            None => self.make(wanted),
            Some(found) if !found.owned => Err(WorldError::Foreign(wanted.address.clone())),
            Some(found) if found.document == *wanted => Ok(()),
            Some(found) => Err(changed(&wanted.address, None, Some(&found))),
        }
    }

    fn make(&self, wanted: &Document) -> Result<(), WorldError> {
        let address = &wanted.address;
        let name = file_name(wanted);
        if address_of(&address.target, &address.kind, &name) != Some((address.clone(), wanted.format)) {
            let reason = format!("a file named `{name}` would not read back as it");
            return Err(WorldError::Refused { address: address.clone(), reason });
        }
        let root = self.root()?;
        self.marks.mark(&root, &wanted.file(), &self.workspace)?;
        let files = root.make_child(&address.target)?.make_child(&address.kind)?;
        Ok(files.replace(&name, wanted.text.as_bytes())?)
    }

    fn update(&self, wanted: &Document, expected: &str) -> Result<(), WorldError> {
        let found = self.expected(&wanted.address, expected, |found| found == wanted)?;
        match found {
            None => Err(changed(&wanted.address, Some(expected), None)),
            Some(found) if found.document == *wanted => Ok(()),
            Some(found) if found.document.format == wanted.format => self.make(wanted),
            Some(found) => self.remove(&found.document).and_then(|()| self.make(wanted)),
        }
    }

    fn delete(&self, address: &Address, expected: &str) -> Result<(), WorldError> {
        match self.expected(address, expected, |_| false)? {
            None => Ok(()),
            Some(found) => self.remove(&found.document),
        }
    }

    /// What is at an address, if it is ours and either as expected or as wanted already.
    fn expected(
        &self,
        address: &Address,
        expected: &str,
        is_wanted: impl Fn(&Document) -> bool,
    ) -> Result<Option<Observed>, WorldError> {
        let Some(found) = self.read(address)? else { return Ok(None) };
        if !found.owned {
            return Err(WorldError::Foreign(address.clone()));
        }
        if found.document.digest() != expected && !is_wanted(&found.document) {
            return Err(changed(address, Some(expected), Some(&found)));
        }
        Ok(Some(found))
    }

    fn remove(&self, document: &Document) -> Result<(), WorldError> {
        let root = self.root()?;
        if let Some(files) = existing_folder(&root, &document.address)? {
            files.remove(&file_name(document))?;
        }
        self.marks.unmark(&root, &document.file())
    }

    /// The root, to be written to. The first write tidies up what a crash may have left.
    fn root(&self) -> Result<Folder, WorldError> {
        let root = Folder::make(&self.root)?;
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if !*swept {
            self.sweep(&root)?;
            *swept = true;
        }
        Ok(root)
    }

    /// Removes half-written files, and our marks of files that are not there: without it, a file that somebody else
    /// makes there later would pass for ours.
    fn sweep(&self, root: &Folder) -> Result<(), WorldError> {
        root.sweep()?;
        let mut present = Vec::new();
        for (target, kinds) in folders(root)? {
            for (kind, files) in folders(&kinds)? {
                files.sweep()?;
                let names =
                    files.entries()?.into_iter().filter_map(|(file, _)| address_of(&target, &kind, &file));
                present.extend(names.map(|(address, format)| document(address, format, &[]).file()));
            }
        }
        let is_stale =
            |file: &String, workspace: &String| *workspace == self.workspace && !present.contains(file);
        if marks::read(root)?.iter().any(|(file, workspace)| is_stale(file, workspace)) {
            marks::update(root, |marks| marks.retain(|file, workspace| !is_stale(file, workspace)))?;
        }
        Ok(())
    }
}

/// Two files may claim one address, with different extensions; ours counts.
fn prefer_ours(found: &mut BTreeMap<Address, Observed>, observed: Observed) {
    let address = observed.document.address.clone();
    if observed.owned || !found.contains_key(&address) {
        found.insert(address, observed);
    }
}

fn changed(address: &Address, expected: Option<&str>, found: Option<&Observed>) -> WorldError {
    WorldError::Changed {
        address: address.clone(),
        expected: expected.map(str::to_owned),
        found: found.map(|found| found.document.digest()),
    }
}

fn document(address: Address, format: Format, bytes: &[u8]) -> Document {
    Document { address, format, text: String::from_utf8_lossy(bytes).into_owned() }
}

/// The folders in a folder, by name.
fn folders(folder: &Folder) -> Result<Vec<(String, Folder)>, WorldError> {
    let mut found = Vec::new();
    for (name, _) in folder.entries()?.into_iter().filter(|(_, kind)| *kind == Kind::Folder) {
        if let Some(child) = folder.child(&name)? {
            found.push((name, child));
        }
    }
    Ok(found)
}

fn existing_folder(root: &Folder, address: &Address) -> Result<Option<Folder>, WorldError> {
    match root.child(&address.target)? {
        Some(kinds) => Ok(kinds.child(&address.kind)?),
        None => Ok(None),
    }
}

fn file_name(document: &Document) -> String {
    let name = &document.address.name;
    document.format.extension().map_or_else(|| name.clone(), |extension| format!("{name}.{extension}"))
}

/// The address and format that a file stands for; none if its name could be no address.
fn address_of(target: &str, kind: &str, file: &str) -> Option<(Address, Format)> {
    let extended = [Format::Json, Format::Yaml].into_iter().find_map(|format| {
        let name = file.strip_suffix(format.extension()?)?.strip_suffix('.')?;
        Some((name, format))
    });
    let (name, format) = extended.unwrap_or((file, Format::Text));
    format!("{target}/{kind}/{name}").parse().ok().map(|address| (address, format))
}
