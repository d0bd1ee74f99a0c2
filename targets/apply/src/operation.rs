//! One change of a plan: carried out, asked again while the world is busy, read back and compared.

use std::sync::Arc;
use std::time::Duration;

use aipolicy_targets::artifact::Document;
use aipolicy_targets::plan::{Action, Change, Observed, equivalent};
use tokio::sync::mpsc::UnboundedSender;

use crate::outcome::Event;
use crate::provider::{Provider, WorldError};
use crate::retry::Patience;

/// A change, and all that is needed to carry it out.
pub(crate) struct Operation {
    pub(crate) change: Change,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) patience: Patience,
    pub(crate) events: UnboundedSender<Event>,
}

impl Operation {
    pub(crate) async fn perform(self) -> Result<(), WorldError> {
        self.patience.ask(|| self.attempt(), |error, delay| self.tell(error, delay)).await?;
        let settling = Patience { budget: self.provider.settles_within(), ..self.patience.clone() };
        settling.ask(|| self.read_back(), |error, delay| self.tell(error, delay)).await
    }

    async fn attempt(&self) -> Result<(), WorldError> {
        let Change { address, action, before, after, .. } = &self.change;
        match (action, before, after) {
            (Action::Create, _, Some(after)) => self.provider.create(after).await,
            (Action::Update, Some(before), Some(after)) => {
                self.provider.update(after, &before.digest()).await
            }
            (Action::Delete, Some(before), _) => self.provider.delete(address, &before.digest()).await,
            (Action::Adopt, Some(before), Some(_)) => self.provider.adopt(address, &before.digest()).await,
            _ => Err(WorldError::Refused {
                address: address.clone(),
                reason: "the change says too little".into(),
            }),
        }
    }

    async fn read_back(&self) -> Result<(), WorldError> {
        let read = || self.provider.read(&self.change.address);
        let found = self.patience.ask(read, |error, delay| self.tell(error, delay)).await?;
        if agrees(self.change.after.as_ref(), found.as_ref()) {
            return Ok(());
        }
        Err(WorldError::ReadBack(self.change.address.clone()))
    }

    /// Nobody may be listening any more, which is no reason to stop.
    fn tell(&self, error: &WorldError, delay: Duration) {
        let address = self.change.address.clone();
        let _heard = self.events.send(Event::Retrying { address, error: error.clone(), delay });
    }
}

fn agrees(wanted: Option<&Document>, found: Option<&Observed>) -> bool {
    match (wanted, found) {
        (Some(wanted), Some(found)) => found.owned && equivalent(&found.document, wanted),
        (None, None) => true,
        _ => false,
    }
}
