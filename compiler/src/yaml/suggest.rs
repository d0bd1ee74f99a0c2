//! The nearest known word to a misspelt one.

/// The candidate that is most alike, if any is alike enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&lower, &candidate.to_lowercase());
    let scored = candidates.into_iter().map(|candidate| (score(candidate), candidate));
    let best = scored.max_by(|(left, _), (right, _)| left.total_cmp(right))?;
    (best.0 >= 0.8).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("regoin", ["region", "retention"]), Some("region"));
        assert_eq!(nearest("Costcentre", ["costCentre", "owner"]), Some("costCentre"));
        assert_eq!(nearest("xyz", ["region", "owner"]), None);
    }
}
