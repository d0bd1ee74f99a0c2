//! Splits statements into documents that AWS accepts, without changing what they say.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use crate::document::{Document, Matcher, Statement, Version};
use crate::limits::measure;
use crate::write::{statement_length, string_length};

/// Why statements do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// One statement does not fit even with one action on one resource.
    Statement {
        /// Its position among the statements, from 0.
        index: usize,
        /// Its `Sid`.
        sid: Option<String>,
        /// The limit of a document, in characters.
        limit: usize,
    },
    /// The documents fit, but there are too many of them.
    Documents {
        /// How many there are.
        needed: usize,
        /// How many there may be.
        allowed: usize,
    },
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement { index, sid, limit } => {
                let name = sid.as_ref().map(|sid| format!(" (`{sid}`)")).unwrap_or_default();
                write!(
                    f,
                    "statement {index}{name} does not fit {limit} characters and cannot be split further"
                )
            }
            Self::Documents { needed, allowed } => {
                write!(f, "the statements need {needed} documents, and {allowed} are allowed")
            }
        }
    }
}

impl Error for TooLarge {}

/// Splits statements into at most `max_documents` documents of at most `limit_chars` characters each, as
/// [`measure`] counts them. No statements give no documents, since AWS refuses an empty one.
///
/// All documents attached together say what the statements said: lists of resources and of actions are cut,
/// each action stays with each resource, and the rest is copied. `NotResource` and `NotAction` are never cut,
/// since the parts together would say more than the whole. A statement that is too large is cut by resources;
/// where the actions leave them too little room, the actions are halved first.
///
/// The same statements give the same documents. Each statement goes into the first document with room for it,
/// so a statement added at the end leaves what came before in place. The parts of a cut statement keep its
/// `Sid`, and two statements of one `Sid` never share a document, where AWS would refuse them.
///
/// The documents are of version 2012-10-17; in statements taken from a document of 2008-10-17, `${…}` would become a
/// variable.
///
/// # Errors
///
/// [`TooLarge::Statement`] when a statement cannot be cut small enough, else [`TooLarge::Documents`].
pub fn split(
    statements: &[Statement],
    limit_chars: usize,
    max_documents: usize,
) -> Result<Vec<Document>, TooLarge> {
    let envelope = measure(&document(Vec::new()));
    let room = limit_chars.saturating_sub(envelope);
    let mut packing = Packing::new(room);
    for (index, statement) in statements.iter().enumerate() {
        let parts = parts(statement, room).ok_or_else(|| TooLarge::Statement {
            index,
            sid: statement.sid.clone(),
            limit: limit_chars,
        })?;
        parts.into_iter().for_each(|part| packing.place(part));
    }
    let needed = packing.bins.len();
    if needed > max_documents {
        return Err(TooLarge::Documents { needed, allowed: max_documents });
    }
    Ok(packing.documents())
}

pub(crate) fn document(statements: Vec<Statement>) -> Document {
    Document { version: Version::V2012, id: None, statements }
}

/// Documents that are filled one after the other.
pub(crate) struct Packing {
    bins: Vec<Bin>,
    room: usize,
}

#[derive(Default)]
struct Bin {
    statements: Vec<Statement>,
    sids: BTreeSet<String>,
    length: usize,
}

impl Packing {
    /// Documents with so much room.
    pub(crate) fn new(room: usize) -> Self {
        Self { bins: Vec::new(), room }
    }

    pub(crate) fn documents(self) -> Vec<Document> {
        self.bins.into_iter().map(|bin| document(bin.statements)).collect()
    }

    /// Puts a statement into the first document with room for it.
    pub(crate) fn place(&mut self, statement: Statement) {
        let length = statement_length(&statement);
        let room = self.room;
        match self.bins.iter_mut().find(|bin| bin.takes(&statement, length, room)) {
            Some(bin) => bin.put(statement, length),
            None => {
                let mut bin = Bin::default();
                bin.put(statement, length);
                self.bins.push(bin);
            }
        }
    }
}

impl Bin {
    fn takes(&self, statement: &Statement, length: usize, room: usize) -> bool {
        let repeated = statement.sid.as_ref().is_some_and(|sid| self.sids.contains(sid));
        !repeated && self.length + ",".len() + length <= room
    }

    fn put(&mut self, statement: Statement, length: usize) {
        let comma = if self.statements.is_empty() { 0 } else { ",".len() };
        self.length += comma + length;
        self.sids.extend(statement.sid.clone());
        self.statements.push(statement);
    }
}

/// The statement in parts of at most `room` characters, or `None` when that cannot be.
pub(crate) fn parts(statement: &Statement, room: usize) -> Option<Vec<Statement>> {
    if statement_length(statement) <= room {
        return Some(vec![statement.clone()]);
    }
    let Some((first, second)) = halves(statement) else { return by_resources(statement, room, 0) };
    if let Some(parts) = by_resources(statement, room, actions_length(statement) / 2) {
        return Some(parts);
    }
    let mut all = parts(&first, room)?;
    all.extend(parts(&second, room)?);
    Some(all)
}

/// Cuts the list of resources, if what the rest of the statement leaves of `room` is at least `least` and
/// takes the longest of them.
///
/// Resources `r` beside actions `a` need `r / left` parts, or `2r / (left + a/2)` with the actions halved,
/// which is fewer when `left < a/2`.
fn by_resources(statement: &Statement, room: usize, least: usize) -> Option<Vec<Statement>> {
    let Some(Matcher::In(resources)) = &statement.resources else { return None };
    let with = |part| Statement { resources: Some(Matcher::In(part)), ..statement.clone() };
    let left = room.checked_sub(statement_length(&with(BTreeSet::new())))?;
    let chunks = chunks(resources, left).filter(|_| left >= least)?;
    Some(chunks.into_iter().map(with).collect())
}

fn actions_length(statement: &Statement) -> usize {
    let (Matcher::In(actions) | Matcher::NotIn(actions)) = &statement.actions;
    actions.iter().map(|action| string_length(action) + ",".len()).sum()
}

/// Consecutive runs of `texts`, each at most `room` characters when written with commas between.
fn chunks(texts: &BTreeSet<String>, room: usize) -> Option<Vec<BTreeSet<String>>> {
    let mut chunks = Vec::new();
    let mut chunk = BTreeSet::new();
    let mut used = 0;
    for text in texts {
        let length = string_length(text);
        if length > room {
            return None;
        }
        if !chunk.is_empty() && used + ",".len() + length > room {
            chunks.push(std::mem::take(&mut chunk));
        }
        used = if chunk.is_empty() { length } else { used + ",".len() + length };
        chunk.insert(text.clone());
    }
    chunks.push(chunk);
    Some(chunks)
}

fn halves(statement: &Statement) -> Option<(Statement, Statement)> {
    let Matcher::In(actions) = &statement.actions else { return None };
    let middle = actions.iter().nth(actions.len() / 2).filter(|_| actions.len() > 1)?;
    let mut first = actions.clone();
    let second = first.split_off(middle);
    let with = |part| Statement { actions: Matcher::In(part), ..statement.clone() };
    Some((with(first), with(second)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Conditions, Effect};
    use crate::limits::{MANAGED_POLICIES_PER_ROLE, MANAGED_POLICY};

    type Grant = (Effect, Option<String>, Option<String>, Conditions);

    /// Every (effect, action, resource, conditions) that the statements name.
    fn grants<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> BTreeSet<Grant> {
        let mut grants = BTreeSet::new();
        for statement in statements {
            for action in listed(Some(&statement.actions)) {
                for resource in listed(statement.resources.as_ref()) {
                    let conditions = statement.conditions.clone();
                    grants.insert((statement.effect, action.clone(), resource.clone(), conditions));
                }
            }
        }
        grants
    }

    // A negated list counts as one entry, so that cutting it would show.
    fn listed(matcher: Option<&Matcher>) -> Vec<Option<String>> {
        match matcher {
            Some(Matcher::In(names)) => names.iter().cloned().map(Some).collect(),
            Some(Matcher::NotIn(names)) => vec![Some(format!("not {names:?}"))],
            None => vec![None],
        }
    }

    fn names(prefix: &str, count: usize) -> BTreeSet<String> {
        (0..count).map(|n| format!("{prefix}{n:04}")).collect()
    }

    fn statement(sid: &str, actions: usize, resources: usize) -> Statement {
        Statement {
            sid: Some(sid.to_owned()),
            effect: Effect::Allow,
            principal: None,
            actions: Matcher::In(names("bedrock:Do", actions)),
            resources: Some(Matcher::In(names(
                "arn:aws:bedrock:eu-central-1:123456789012:agent/Łódź",
                resources,
            ))),
            conditions: [("Bool".to_owned(), [(format!("a:{sid}"), ["true".to_owned()].into())].into())]
                .into(),
        }
    }

    #[track_caller]
    fn assert_split(statements: &[Statement], limit: usize) -> Vec<Document> {
        let documents = split(statements, limit, usize::MAX).unwrap();
        for document in &documents {
            assert!(measure(document) <= limit, "{} > {limit}", measure(document));
            assert!(!document.statements.is_empty());
            let sids: BTreeSet<_> =
                document.statements.iter().filter_map(|statement| statement.sid.as_ref()).collect();
            let with_sid = document.statements.iter().filter(|statement| statement.sid.is_some()).count();
            assert_eq!(sids.len(), with_sid, "a document repeats a Sid");
        }
        let parts = documents.iter().flat_map(|document| &document.statements);
        assert_eq!(grants(parts), grants(statements));
        assert_eq!(split(statements, limit, usize::MAX).unwrap(), documents);
        documents
    }

    #[test]
    fn what_fits_is_one_document_in_order() {
        let statements = [statement("B", 2, 3), statement("A", 1, 1)];
        let documents = assert_split(&statements, MANAGED_POLICY);
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].statements, statements);
    }

    #[test]
    fn the_limit_is_used_to_the_last_character() {
        let statements = [statement("A", 2, 2), statement("B", 1, 1), statement("C", 1, 1)];
        let exact = measure(&document(statements.to_vec()));
        assert_eq!(assert_split(&statements, exact).len(), 1);
        assert_eq!(assert_split(&statements, exact - 1).len(), 2);
    }

    #[test]
    fn whole_statements_are_kept_while_they_fit() {
        let statements: Vec<_> = (0..40).map(|n| statement(&format!("S{n}"), 3, 5)).collect();
        let documents = assert_split(&statements, MANAGED_POLICY);
        assert!(documents.len() > 1 && documents.len() <= MANAGED_POLICIES_PER_ROLE);
        let kept: Vec<_> = documents.into_iter().flat_map(|document| document.statements).collect();
        assert_eq!(kept, statements);
    }

    #[test]
    fn a_statement_with_many_resources_is_cut_by_resources() {
        let whole = statement("Many", 2, 400);
        let documents = assert_split(&[statement("Few", 1, 1), whole.clone()], MANAGED_POLICY);
        let parts = documents.iter().flat_map(|document| &document.statements);
        assert!(parts.clone().filter(|part| part.sid == whole.sid).all(|part| part.actions == whole.actions));
        assert!(parts.filter(|part| part.sid == whole.sid).count() > 1);
    }

    #[test]
    fn a_statement_with_many_actions_is_cut_by_actions() {
        let documents = assert_split(&[statement("Wide", 1000, 1)], MANAGED_POLICY);
        assert!(documents.len() > 1);
        let mut wide = statement("Everywhere", 1000, 0);
        wide.resources = Some(Matcher::NotIn(names("arn:aws:s3:::b", 20)));
        assert_split(&[wide], MANAGED_POLICY);
        assert_split(&[statement("Both", 500, 60)], MANAGED_POLICY);
    }

    #[test]
    fn actions_that_fill_a_document_are_halved_rather_than_repeated() {
        let actions = 330;
        let alone = measure(&document(vec![statement("Full", actions, 1)]));
        assert!(alone <= MANAGED_POLICY && alone > MANAGED_POLICY * 9 / 10, "{alone}");
        let documents = assert_split(&[statement("Full", actions, 60)], MANAGED_POLICY);
        assert!(documents.len() <= 4, "{}", documents.len());
    }

    #[test]
    fn denies_are_cut_alike() {
        let deny = Statement { effect: Effect::Deny, ..statement("No", 3, 300) };
        assert!(assert_split(&[deny], MANAGED_POLICY).len() > 1);
    }

    #[test]
    fn many_limits_keep_the_union() {
        let statements =
            [statement("A", 7, 9), statement("B", 30, 2), statement("A", 1, 40), statement("", 0, 1)];
        for limit in (300..3000).step_by(37) {
            assert_split(&statements, limit);
        }
    }

    #[test]
    fn one_sid_is_never_twice_in_a_document() {
        let documents = assert_split(&[statement("Same", 1, 1), statement("Same", 2, 1)], MANAGED_POLICY);
        assert_eq!(documents.len(), 2);
    }

    #[test]
    fn a_statement_added_at_the_end_leaves_the_rest_in_place() {
        let statements: Vec<_> =
            (0..30).map(|n| statement(&format!("S{n}"), 1 + n % 7, 1 + n % 11)).collect();
        let before = assert_split(&statements[..29], 2000);
        let after = assert_split(&statements, 2000);
        for (old, new) in before.iter().zip(&after) {
            assert!(new.statements.starts_with(&old.statements));
        }
    }

    #[test]
    fn negated_lists_are_never_cut() {
        let mut statement = statement("Not", 0, 3);
        statement.actions = Matcher::NotIn(names("iam:Do", 1000));
        let error = split(&[statement.clone()], MANAGED_POLICY, 10).unwrap_err();
        assert_eq!(
            error,
            TooLarge::Statement { index: 0, sid: Some("Not".to_owned()), limit: MANAGED_POLICY }
        );
        statement.actions = Matcher::In(names("iam:Do", 1));
        statement.resources = Some(Matcher::NotIn(names("arn:aws:s3:::bucket", 1000)));
        assert!(split(&[statement], MANAGED_POLICY, 10).is_err());
    }

    #[test]
    fn what_cannot_be_cut_is_told() {
        let mut long = statement("Long", 1, 1);
        long.resources = Some(Matcher::In(["x".repeat(MANAGED_POLICY)].into()));
        let error = split(&[statement("Fine", 1, 1), long], MANAGED_POLICY, 10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "statement 1 (`Long`) does not fit 6144 characters and cannot be split further"
        );
        assert!(split(&[statement("Any", 1, 1)], 0, 10).is_err());
    }

    #[test]
    fn too_many_documents_are_counted() {
        let statements = [statement("Many", 1, 2000)];
        let needed = assert_split(&statements, MANAGED_POLICY).len();
        assert!(needed > 10);
        assert_eq!(split(&statements, MANAGED_POLICY, 10), Err(TooLarge::Documents { needed, allowed: 10 }));
        assert_eq!(split(&statements, MANAGED_POLICY, needed).unwrap().len(), needed);
    }

    #[test]
    fn no_statements_need_no_document() {
        assert_eq!(split(&[], MANAGED_POLICY, 0), Ok(Vec::new()));
    }
}
