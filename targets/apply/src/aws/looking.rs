//! Questions that change nothing: they are asked again on the spot, so that one of thousands does not stop all of them.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use super::error::Refusal;

/// How often such a question is asked again at most, each time as often as the SDK asks.
const AGAIN: usize = 4;
/// How long the first pause is; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Asks until the answer is not one that passes.
pub(super) async fn patiently<T, F>(question: impl FnMut() -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<T, Refusal>>,
{
    let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(AGAIN).with_jitter();
    question.retry(pauses).when(Refusal::passes).await
}

/// Whether an operation only looks, as its name says. Those that are put together here are called alike.
pub(super) fn is_look(operation: &str) -> bool {
    ["Describe", "Get", "List", "Show"].iter().any(|start| operation.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn asked(failing: u32, passes: bool) -> (bool, u32) {
        let count = Cell::new(0);
        let question = || {
            count.set(count.get() + 1);
            let is_failing = count.get() <= failing;
            async move { if is_failing { Err(Refusal::coded("Any", passes)) } else { Ok(()) } }
        };
        (patiently(question).await.is_ok(), count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_asked_five_times_and_a_refusal_once() {
        assert_eq!(asked(0, true).await, (true, 1));
        assert_eq!(asked(4, true).await, (true, 5));
        assert_eq!(asked(5, true).await, (false, 5));
        assert_eq!(asked(5, false).await, (false, 1));
    }

    #[test]
    fn what_an_operation_does_is_in_its_name() {
        assert!(is_look("ListTags") && is_look("ShowQueue"));
        assert!(!is_look("SetTargets") && !is_look("CreateAgent"));
    }
}
