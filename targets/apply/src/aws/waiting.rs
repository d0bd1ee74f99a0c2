//! States that end by themselves: what is made, changed or removed is waited for.

use std::time::Duration;

use aipolicy_targets::artifact::Address;
use serde_json::Value;

use super::account::Thing;
use super::error::Refusal;
use super::exchange::Members;
use super::life::First;
use super::listing::Listed;
use super::reference::at;
use super::things::Things;

/// How long a state that ends by itself is waited for.
const STATE_ENDS_WITHIN: Duration = Duration::from_secs(600);
/// How long the first pause of that is, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

impl Things {
    /// Does what has to be done before a thing is made or changed.
    pub(super) async fn first(&self, region: &str, members: &Members) -> Result<(), Refusal> {
        match self.life.first {
            None => Ok(()),
            Some(First::Prepare) => self.prepare(region, members).await,
        }
    }

    /// Prepares the draft of an agent, and waits until it is.
    async fn prepare(&self, region: &str, members: &Members) -> Result<(), Refusal> {
        let agent = members.get("agentId").cloned().unwrap_or_default();
        let keys = Members::from_iter([("agentId".to_owned(), agent)]);
        self.ask(region, "PrepareAgent", keys.clone()).await?;
        let mut pause = Pause::new();
        loop {
            let shown = self.ask(region, "GetAgent", keys.clone()).await?;
            match at(&shown, "agent.agentStatus").and_then(Value::as_str).unwrap_or("") {
                "PREPARED" => return Ok(()),
                "FAILED" => {
                    let why = at(&shown, "agent.failureReasons").cloned().unwrap_or_default();
                    return Err(Refusal::unreadable(format!("the agent cannot be prepared: {why}")));
                }
                state => pause.next(state).await?,
            }
        }
    }

    /// Waits until the state of a thing has ended, and keeps what is there then.
    pub(super) async fn settle(
        &self,
        address: &Address,
        (region, keys): (&str, Members),
        owned: bool,
    ) -> Result<(), Refusal> {
        let mut pause = Pause::new();
        loop {
            let whole = self.life.whole.as_ref().map(|_| (address.clone(), owned));
            let (region, keys) = (region.to_owned(), keys.clone());
            let listed = Listed { region, keys, summary: Value::Null, whole, address: None };
            let looked = match self.life.read {
                Some(_) => self.looked_at(listed).await?.map(|(thing, _)| thing),
                None => self.found(address).await?,
            };
            let Some(thing) = looked else {
                return Err(Refusal::early("what was made cannot be seen yet"));
            };
            let place = self.place_of_thing();
            let shown = at(&thing.shown, place).unwrap_or(&Value::Null);
            let state = self.state(shown);
            if is_passing(&state) {
                pause.next(&state).await?;
                continue;
            }
            let failed = thing.seen.contains_key("$state");
            let reasons = ["failureReasons", "statusReasons", "failureReason"];
            let why = reasons.iter().find_map(|name| shown.get(*name)).cloned().unwrap_or_default();
            self.account.keep(address.clone(), thing);
            return match failed {
                true => Err(Refusal::unreadable(format!("its state is {state}: {why}"))),
                false => Ok(()),
            };
        }
    }

    /// Waits until a thing that is being removed is gone.
    pub(super) async fn settle_gone(&self, thing: &Thing) -> Result<(), Refusal> {
        let mut pause = Pause::new();
        if let Some((operation, place)) = self.life.read {
            loop {
                let shown = match self.ask(&thing.region, operation, thing.keys.clone()).await {
                    Err(refusal) if refusal.is_gone() => break,
                    shown => shown?,
                };
                let shown = at(&shown, place).unwrap_or(&Value::Null);
                match self.state(shown) {
                    state if state.contains("DELETING") => pause.next(&state).await?,
                    state if has_failed(&state) => {
                        return Err(Refusal::unreadable(format!("its state is {state}")));
                    }
                    _ => break,
                }
            }
        }
        Ok(())
    }
}

/// Whether a state ends by itself.
pub(super) fn is_passing(state: &str) -> bool {
    state.ends_with("ING") || state == "INPROGRESS"
}

/// Whether a state says that something went wrong.
pub(super) fn has_failed(state: &str) -> bool {
    state.contains("FAILED") || state.contains("UNSUCCESSFUL")
}

/// Pauses that grow, until it takes too long.
struct Pause {
    next: Duration,
    left: Duration,
}

impl Pause {
    fn new() -> Self {
        Self { next: PAUSES.0, left: STATE_ENDS_WITHIN }
    }

    async fn next(&mut self, state: &str) -> Result<(), Refusal> {
        if self.left.is_zero() {
            return Err(Refusal::early(&format!("it is still in the state {state}")));
        }
        tokio::time::sleep(self.next).await;
        self.left = self.left.saturating_sub(self.next);
        self.next = (self.next * 2).min(PAUSES.1);
        Ok(())
    }
}
