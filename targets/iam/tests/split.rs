//! Splitting changes nothing: the parts together are proven equal to the whole, over every request.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails where it panics")]

use aipolicy_iam::{
    Conditions, Document, Effect, Matcher, Policies, Relation, Statement, Version, compare, measure, split,
};

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn statement(&mut self, number: usize) -> Statement {
        let actions = ["GetObject", "PutObject", "DeleteObject", "GetObjectTagging", "AbortMultipartUpload"];
        let (many, first) = (1 + self.below(actions.len()), self.below(actions.len()));
        let chosen = (0..many).map(|at| format!("s3:{}", actions[(first + at) % actions.len()]));
        let resources = (0..=self.below(12)).map(|_| {
            let (bucket, prefix) = (self.below(20), self.below(6));
            let end = ["*", "a/*", "a/b", "?/x*"][self.below(4)];
            format!("arn:aws:s3:::bucket-with-a-long-name-{bucket}/prefix-{prefix}/{end}")
        });
        let resources = resources.collect();
        let mut conditions = Conditions::new();
        if self.below(2) == 0 {
            let key = ["aws:SourceVpce", "aws:PrincipalTag/team"][self.below(2)];
            let operator = ["StringEquals", "StringNotEquals", "StringLike"][self.below(3)];
            let values = [format!("value-{}", self.below(3))].into();
            conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
        }
        Statement {
            sid: Some(format!("S{number}")),
            effect: if self.below(5) == 0 { Effect::Deny } else { Effect::Allow },
            principal: None,
            actions: Matcher::In(chosen.collect()),
            resources: Some(Matcher::In(resources)),
            conditions,
        }
    }
}

fn policies(documents: &[Document]) -> Policies {
    documents.iter().fold(Policies::default(), |all, one| all.identity("part", one))
}

#[test]
fn the_parts_together_are_proven_equal_to_the_whole() {
    let mut parts = 0;
    for seed in 0..60 {
        let mut numbers = Numbers(seed);
        let statements: Vec<_> = (0..2 + numbers.below(14)).map(|number| numbers.statement(number)).collect();
        let whole = Document { version: Version::V2012, id: None, statements };
        let limit = 600 + numbers.below(2000);
        let documents = split(&whole.statements, limit, usize::MAX).unwrap();
        assert!(documents.iter().all(|one| measure(one) <= limit));
        let found = compare(&policies(std::slice::from_ref(&whole)), &policies(&documents));
        assert_eq!(found.relation(), Relation::Equal, "seed {seed}: {found:#?}");
        parts += documents.len();
        // The comparison would see a part that is missing: of policies that only allow, the rest never allows more.
        let most = documents.iter().all(|one| one.statements.iter().all(|one| one.effect == Effect::Allow));
        if most && documents.len() > 1 {
            let fewer = compare(&policies(&documents), &policies(&documents[1..])).relation();
            assert!(matches!(fewer, Relation::Equal | Relation::Narrower), "seed {seed}: {fewer}");
        }
    }
    assert!(parts > 120, "{parts}");
}
