//! Asking again: with growing, jittered pauses, within a budget, until it is told to stop.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;

use crate::provider::WorldError;

/// How long to go on asking.
#[derive(Clone)]
pub(crate) struct Patience {
    /// The sum of all pauses.
    pub(crate) budget: Duration,
    /// Turns true when nothing new is to begin.
    pub(crate) stop: watch::Receiver<bool>,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Patience {
    /// Asks until the answer is not transient. `told` hears of every pause.
    pub(crate) async fn ask<T, F>(
        &self,
        mut question: impl FnMut() -> F,
        told: impl Fn(&WorldError, Duration),
    ) -> Result<T, WorldError>
    where
        F: Future<Output = Result<T, WorldError>>,
    {
        let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_delay(LONGEST_PAUSE);
        let mut pauses = pauses.with_jitter().without_max_times().build();
        let mut left = self.budget;
        loop {
            let error = match question().await {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            let pause = pauses.next().unwrap_or(LONGEST_PAUSE).max(asked_for(&error));
            if pause > left || *self.stop.borrow() {
                return Err(error);
            }
            left -= pause;
            told(&error, pause);
            self.pause(pause).await;
        }
    }

    /// Waits, but not after it is told to stop.
    async fn pause(&self, pause: Duration) {
        let mut stop = self.stop.clone();
        let stopped = async move {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let _either = tokio::time::timeout(pause, stopped).await;
    }
}

fn asked_for(error: &WorldError) -> Duration {
    let WorldError::Transient { retry_after: Some(pause), .. } = error else { return Duration::ZERO };
    *pause
}
