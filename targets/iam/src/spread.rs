//! Spreads statements over documents so that one thing more to say changes one document.

use crate::document::{Document, Statement};
use crate::limits::measure;
use crate::name::hash;
use crate::split::{Packing, TooLarge, document, parts};

/// A statement by what it is about: statements about one thing stand together.
type Placed = (u64, Statement);

/// Spreads statements, each with what it is about, over at most `max_documents` documents of at most `limit_chars`
/// characters each, and names each document: nothing where one is enough.
///
/// What a statement is about decides where it stands, whatever else there is: documents are the leaves of a tree whose
/// branches are the digits of a hash, and a leaf with too much in it becomes a branch. So a thing that is added, changed or
/// removed changes one document, or puts two in its place, or one in the place of two. Where the leaves are more than
/// `max_documents`, statements are packed as by [`split`](crate::split), which takes fewer documents and moves more.
///
/// All documents attached together say what the statements said, as [`split`](crate::split) tells.
///
/// # Errors
///
/// Those of [`split`](crate::split).
pub fn spread(
    statements: &[(&str, Statement)],
    limit_chars: usize,
    max_documents: usize,
) -> Result<Vec<(String, Document)>, TooLarge> {
    let room = limit_chars.saturating_sub(measure(&document(Vec::new())));
    let mut placed = Vec::new();
    for (index, (about, statement)) in statements.iter().enumerate() {
        let found = parts(statement, room).ok_or_else(|| TooLarge::Statement {
            index,
            sid: statement.sid.clone(),
            limit: limit_chars,
        })?;
        placed.extend(found.into_iter().map(|part| (mixed(hash(&[about])), part)));
    }
    let mut leaves = Vec::new();
    divide(String::new(), placed, room, &mut leaves);
    if leaves.len() <= max_documents {
        return Ok(leaves);
    }
    let statements: Vec<_> = statements.iter().map(|(_, statement)| statement.clone()).collect();
    let packed = crate::split(&statements, limit_chars, max_documents)?;
    Ok(packed.into_iter().enumerate().map(|(at, document)| (format!("{}", at + 1), document)).collect())
}

/// Makes a leaf of what fits into one document, and else a branch for each value of the next digit.
fn divide(path: String, placed: Vec<Placed>, room: usize, leaves: &mut Vec<(String, Document)>) {
    let Some((first, _)) = placed.first() else { return };
    let (first, depth) = (*first, path.len());
    let mut packing = Packing::new(room);
    placed.iter().for_each(|(_, statement)| packing.place(statement.clone()));
    let mut documents = packing.documents();
    if documents.len() == 1 {
        leaves.extend(documents.pop().map(|document| (path, document)));
        return;
    }
    // One thing that is larger than a document is cut, since no digit divides it.
    if placed.iter().all(|(hash, _)| *hash == first) {
        let numbered = documents.into_iter().enumerate();
        leaves.extend(numbered.map(|(at, document)| (format!("{path}{}", at + 1), document)));
        return;
    }
    let bit = |(hash, _): &Placed| hash.checked_shr(depth as u32).is_some_and(|rest| rest & 1 == 1);
    let (right, left): (Vec<_>, Vec<_>) = placed.into_iter().partition(bit);
    divide(format!("{path}a"), left, room, leaves);
    divide(format!("{path}b"), right, room, leaves);
}

/// Makes each digit depend on all: the finalizer of MurmurHash3 (Austin Appleby, public domain).
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::document::{Conditions, Effect, Matcher};
    use crate::limits::MANAGED_POLICY;

    fn statement(sid: &str, resources: usize) -> Statement {
        let arn = |at: usize| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{sid}-{at}");
        Statement {
            sid: Some(sid.into()),
            effect: Effect::Allow,
            principal: None,
            actions: Matcher::In(["dynamodb:GetItem".to_owned(), "dynamodb:Query".to_owned()].into()),
            resources: Some(Matcher::In((0..resources).map(arn).collect())),
            conditions: Conditions::new(),
        }
    }

    /// Things, each with up to three statements of up to six resources.
    fn things(many: usize) -> Vec<(String, Statement)> {
        let of = |thing: usize| {
            let sids = ["Read", "List", "Key"].into_iter().take(1 + thing % 3);
            sids.map(move |verb| {
                (format!("thing-{thing}"), statement(&format!("{verb}{thing}"), 1 + thing % 6))
            })
        };
        (0..many).flat_map(of).collect()
    }

    fn spread_all(all: &[(String, Statement)], most: usize) -> BTreeMap<String, Document> {
        let placed: Vec<_> = all.iter().map(|(about, one)| (about.as_str(), one.clone())).collect();
        let documents = spread(&placed, MANAGED_POLICY, most).unwrap();
        let count = documents.len();
        let named: BTreeMap<_, _> = documents.into_iter().collect();
        assert_eq!(named.len(), count, "each document has a name of its own");
        assert!(named.values().all(|document| measure(document) <= MANAGED_POLICY));
        let kept: BTreeSet<_> = named.values().flat_map(|document| document.statements.clone()).collect();
        assert_eq!(kept, all.iter().map(|(_, statement)| statement.clone()).collect(), "nothing is lost");
        named
    }

    /// How many documents of the one are not in the other as they are.
    fn gone(one: &BTreeMap<String, Document>, other: &BTreeMap<String, Document>) -> usize {
        one.iter().filter(|(name, document)| other.get(*name) != Some(document)).count()
    }

    #[test]
    fn one_thing_more_changes_one_document() {
        let all = things(90);
        let (mut moved, mut most) = (0, 0);
        for at in 0..90 {
            let about = format!("thing-{at}");
            let without: Vec<_> = all.iter().filter(|(known, _)| *known != about).cloned().collect();
            for many in [without.len() / 4, without.len() / 2, without.len()] {
                let mut with = without[..many].to_vec();
                let before = spread_all(&with, usize::MAX);
                with.splice(many / 2..many / 2, all.iter().filter(|(known, _)| *known == about).cloned());
                let after = spread_all(&with, usize::MAX);
                assert!(gone(&before, &after) <= 1, "{about} among {many}");
                assert!(gone(&after, &before) <= 2, "{about} among {many}");
                moved += gone(&before, &after);
                most = most.max(after.len());
            }
        }
        assert!(moved > 200 && most > 4, "{moved} documents changed, of up to {most}");
    }

    #[test]
    fn what_fits_one_document_has_no_name() {
        let named = spread_all(&things(3), 1);
        assert_eq!(named.keys().collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn a_thing_that_is_too_large_is_cut() {
        let all: Vec<_> = (0..4).map(|at| ("one".to_owned(), statement(&format!("S{at}"), 60))).collect();
        let named = spread_all(&all, 10);
        assert!(named.keys().all(|name| name.trim_start_matches(['a', 'b']).parse::<usize>().is_ok()));
        assert!(named.len() > 1, "{named:?}");
    }

    #[test]
    fn where_leaves_are_too_many_statements_are_packed() {
        let all = things(60);
        let leaves = spread_all(&all, usize::MAX).len();
        let packed = spread_all(&all, leaves - 1);
        assert!(packed.keys().all(|name| name.parse::<usize>().is_ok()), "{:?}", packed.keys());
        let placed: Vec<_> = all.iter().map(|(about, one)| (about.as_str(), one.clone())).collect();
        assert!(matches!(spread(&placed, MANAGED_POLICY, 1), Err(TooLarge::Documents { allowed: 1, .. })));
    }
}
