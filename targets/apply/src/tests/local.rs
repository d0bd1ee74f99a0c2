//! The local world: marks, foreign files, links, formats and what a crash leaves.

use aipolicy_targets::artifact::{Document, Format};

use super::{address, files, json};
use crate::{Adoption, FileProblem, Known, Local, NotAdopted, Provider, WorldError};

fn write(path: &std::path::Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn documents_are_plain_files_with_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path().join("w"), "acme");
    assert_eq!(local.observe(&Known::default()).await.unwrap(), []);
    assert!(!folder.path().join("w").exists(), "looking writes nothing");
    let (old, new) = (json("iam/Role/a", "1"), json("iam/Role/a", "2"));
    let script = Document { address: address("gw/Script/a.lua"), format: Format::Text, text: "x".into() };
    local.create(&old).await.unwrap();
    local.create(&old).await.unwrap();
    local.create(&script).await.unwrap();
    local.update(&new, &old.digest()).await.unwrap();
    local.update(&new, &old.digest()).await.unwrap();
    let found = local.observe(&Known::default()).await.unwrap();
    assert_eq!(found.iter().map(|found| &found.document).collect::<Vec<_>>(), [&script, &new]);
    assert!(found.iter().all(|found| found.owned));
    let marks = "{\n  \"format\": \"aipolicy.owned/1\",\n  \"files\": {\n    \"gw/Script/a.lua\": \"acme\",\n    \
                 \"iam/Role/a.json\": \"acme\"\n  }\n}\n";
    assert_eq!(
        files(&folder.path().join("w")).into_iter().collect::<Vec<_>>(),
        [
            (".owned.json".to_owned(), marks.to_owned()),
            ("gw/Script/a.lua".to_owned(), "x".to_owned()),
            ("iam/Role/a.json".to_owned(), "2".to_owned()),
        ]
    );
    local.delete(&new.address, &new.digest()).await.unwrap();
    local.delete(&new.address, &new.digest()).await.unwrap();
    assert_eq!(local.read(&new.address).await.unwrap(), None);
    assert_eq!(local.observe(&Known::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_of_nobody_is_adopted_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    let (wanted, found) = (json("iam/Role/a", "wanted"), json("iam/Role/a", "theirs"));
    let no = |adoption| match adoption {
        Ok(Adoption::No(why)) => why,
        other => panic!("{other:?}"),
    };
    let absent = NotAdopted::Absent { expected: "the file `iam/Role/a.json`".into() };
    assert_eq!(no(local.adoption(&wanted, "a").await), absent, "there is no world");
    write(&folder.path().join("iam/Role/a.json"), "theirs");
    write(&folder.path().join("iam/Role/b.json"), "theirs");
    assert_eq!(no(local.adoption(&wanted, "c").await), absent);
    let other = no(local.adoption(&wanted, "b.json").await);
    assert!(
        matches!(&other, NotAdopted::Other { found, .. } if found.contains("iam/Role/b.json")),
        "{other:?}"
    );
    for id in ["a", "a.json", "iam/Role/a.json"] {
        let Ok(Adoption::Free(free)) = local.adoption(&wanted, id).await else { panic!("{id}") };
        assert_eq!((free.object.as_str(), &free.found, &free.marked), ("iam/Role/a.json", &found, &found));
    }
    let stale = local.adopt(&wanted.address, &wanted.digest()).await;
    assert!(matches!(stale, Err(WorldError::Changed { .. })), "{stale:?}");
    assert_eq!(local.read(&wanted.address).await.unwrap().map(|found| found.owned), Some(false));
    for _ in 0..2 {
        assert_eq!(local.adopt(&wanted.address, &found.digest()).await, Ok(()));
    }
    assert_eq!(local.adoption(&wanted, "a").await, Ok(Adoption::Ours));
    assert_eq!(files(folder.path())["iam/Role/a.json"], "theirs");
    let of_others = Local::new(folder.path(), "other");
    let whose = no(of_others.adoption(&wanted, "a").await);
    assert_eq!(whose, NotAdopted::OfOthers { whose: "the workspace `acme`".into() });
    let foreign = of_others.adopt(&wanted.address, &found.digest()).await;
    assert_eq!(foreign, Err(WorldError::Foreign(wanted.address.clone())));
    local.update(&wanted, &found.digest()).await.unwrap();
    local.delete(&wanted.address, &wanted.digest()).await.unwrap();
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    let (old, new) = (json("iam/Role/a", "1"), json("iam/Role/a", "2"));
    local.create(&old).await.unwrap();
    write(&folder.path().join("iam/Role/a.json"), "by hand");
    for result in [
        local.create(&new).await,
        local.update(&new, &old.digest()).await,
        local.delete(&old.address, &old.digest()).await,
    ] {
        assert!(matches!(result, Err(WorldError::Changed { .. })), "{result:?}");
    }
    assert_eq!(files(folder.path())["iam/Role/a.json"], "by hand");
    std::fs::remove_file(folder.path().join("iam/Role/a.json")).unwrap();
    let gone = local.update(&new, &old.digest()).await;
    assert!(matches!(gone, Err(WorldError::Changed { found: None, .. })), "{gone:?}");
}

#[tokio::test]
async fn foreign_files_are_seen_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("iam/Role/a.json"), "theirs");
    write(&folder.path().join("iam/Role/.hidden"), "h");
    write(&folder.path().join("iam/Role/no address.json"), "n");
    write(&folder.path().join("README.md"), "r");
    let other = Local::new(folder.path(), "other");
    other.create(&json("iam/Role/b", "others")).await.unwrap();
    let local = Local::new(folder.path(), "acme");
    let before = files(folder.path());
    let found = local.observe(&Known::default()).await.unwrap();
    assert_eq!(
        found.iter().map(|found| found.document.address.to_string()).collect::<Vec<_>>(),
        ["iam/Role/a", "iam/Role/b"]
    );
    assert!(found.iter().all(|found| !found.owned));
    for found in &found {
        let wanted = Document { text: "ours".into(), ..found.document.clone() };
        let yaml = Document { format: Format::Yaml, ..wanted.clone() };
        let digest = found.document.digest();
        for result in [
            local.create(&wanted).await,
            local.create(&yaml).await,
            local.update(&wanted, &digest).await,
            local.delete(&wanted.address, &digest).await,
        ] {
            assert_eq!(result, Err(WorldError::Foreign(wanted.address.clone())));
        }
    }
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn links_pipes_and_giants_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("Role/a.json"), "secret");
    let local = Local::new(folder.path(), "acme");
    let refused = |result: Result<(), WorldError>, name: &str, problem: FileProblem| match result {
        Err(WorldError::File(error)) => {
            assert!(error.path.ends_with(name), "{error}");
            assert_eq!(error.problem, problem);
        }
        other => panic!("{other:?}"),
    };
    std::os::unix::fs::symlink(outside.path(), folder.path().join("iam")).unwrap();
    refused(local.observe(&Known::default()).await.map(drop), "iam", FileProblem::NotPlain);
    refused(local.create(&json("iam/Role/b", "1")).await, "iam", FileProblem::NotPlain);
    std::fs::remove_file(folder.path().join("iam")).unwrap();
    std::fs::create_dir_all(folder.path().join("iam/Role")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("Role/a.json"), folder.path().join("iam/Role/a.json"))
        .unwrap();
    refused(local.observe(&Known::default()).await.map(drop), "iam/Role/a.json", FileProblem::NotPlain);
    refused(local.create(&json("iam/Role/a", "1")).await, "iam/Role/a.json", FileProblem::NotPlain);
    std::fs::remove_file(folder.path().join("iam/Role/a.json")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("marks"), folder.path().join(".owned.json")).unwrap();
    refused(local.create(&json("iam/Role/a", "1")).await, ".owned.json", FileProblem::NotPlain);
    std::fs::remove_file(folder.path().join(".owned.json")).unwrap();
    let giant = std::fs::File::create(folder.path().join("iam/Role/big.json")).unwrap();
    giant.set_len(64 * 1024 * 1024 + 1).unwrap();
    refused(local.observe(&Known::default()).await.map(drop), "iam/Role/big.json", FileProblem::TooLarge);
    assert_eq!(files(outside.path()).len(), 1);
}

#[tokio::test]
async fn a_new_format_replaces_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    let old = json("iam/Role/a", "1");
    let new = Document { format: Format::Yaml, ..old.clone() };
    local.create(&old).await.unwrap();
    local.update(&new, &old.digest()).await.unwrap();
    let found = files(folder.path());
    assert_eq!(found.keys().collect::<Vec<_>>(), [".owned.json", "iam/Role/a.yaml"]);
    assert!(found[".owned.json"].contains("a.yaml") && !found[".owned.json"].contains("a.json"));
    let misleading = Document { address: address("iam/Role/b.json"), format: Format::Text, text: "1".into() };
    assert!(matches!(local.create(&misleading).await, Err(WorldError::Refused { .. })));
}

#[tokio::test]
async fn what_a_crash_left_is_swept_before_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    local.create(&json("iam/Role/kept", "1")).await.unwrap();
    local.create(&json("iam/Role/gone", "1")).await.unwrap();
    std::fs::remove_file(folder.path().join("iam/Role/gone.json")).unwrap();
    write(&folder.path().join("iam/Role/.new.json.aipolicy-tmp"), "ha");
    let local = Local::new(folder.path(), "acme");
    local.create(&json("iam/Role/other", "1")).await.unwrap();
    write(&folder.path().join("iam/Role/gone.json"), "theirs");
    let found = local.observe(&Known::default()).await.unwrap();
    let owned: Vec<_> =
        found.iter().map(|found| (found.document.address.name.as_str(), found.owned)).collect();
    assert_eq!(owned, [("gone", false), ("kept", true), ("other", true)]);
    assert!(!folder.path().join("iam/Role/.new.json.aipolicy-tmp").exists());
}

/// What is compiled for a cluster is written below the folder of that cluster, and lies elsewhere in a world.
#[tokio::test]
async fn documents_of_clusters_stay_ours() {
    let folder = tempfile::tempdir().unwrap();
    let of_cluster = |text: &str| Document {
        address: address("kubernetes/Namespace/eu-1.support"),
        format: Format::Yaml,
        text: text.into(),
    };
    Local::new(folder.path(), "acme").create(&of_cluster("1")).await.unwrap();
    let later = Local::new(folder.path(), "acme");
    later.create(&json("iam/Role/r", "1")).await.unwrap();
    let found = later.observe(&Known::default()).await.unwrap();
    assert!(found.iter().all(|found| found.owned), "{found:?}");
    later.update(&of_cluster("2"), &of_cluster("1").digest()).await.unwrap();
    let later = Local::new(folder.path(), "acme");
    later.delete(&of_cluster("2").address, &of_cluster("2").digest()).await.unwrap();
    assert_eq!(files(folder.path()).into_keys().collect::<Vec<_>>(), [".owned.json", "iam/Role/r.json"]);
}

#[tokio::test]
async fn marks_that_cannot_be_read_stop_everything() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    for text in ["{", "{\"format\":\"aipolicy.owned/2\",\"files\":[]}", ""] {
        write(&folder.path().join(".owned.json"), text);
        let result = local.create(&json("iam/Role/a", "1")).await;
        assert!(matches!(result, Err(WorldError::Marks { .. })), "{result:?}");
        assert!(matches!(local.observe(&Known::default()).await, Err(WorldError::Marks { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_all_marked() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(folder.path(), "acme");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let local = local.clone();
        tasks.spawn(async move { local.create(&json(&format!("iam/Role/r{number}"), "1")).await });
    }
    tasks.join_all().await.into_iter().for_each(|result| result.unwrap());
    let found = local.observe(&Known::default()).await.unwrap();
    assert_eq!((found.len(), found.iter().filter(|found| found.owned).count()), (60, 60));
}
