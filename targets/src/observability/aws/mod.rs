//! What AWS itself watches: budgets on its bill, alarms on metrics of its services, the delivery of what AgentCore
//! writes, and the trail of who called what.

mod action;
mod alarm;
mod budget;
mod delivery;
mod query;
mod recorded;
mod trail;
mod watch;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::gateway::GatewaySpec;

use super::Watched;
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::billing::{self, Callers, Stop};
use crate::origin::Origin;
use crate::request::{Members, Request};

/// The account of an environment, with everybody who spends there.
struct Cloud<'c, 'g> {
    account: &'c Account<'g>,
    /// What telemetry of gateways counts, if it counts anything.
    watched: Option<&'c Watched<'g>>,
    callers: Callers,
    stops: Vec<Stop<'g>>,
}

/// The documents of an environment.
pub(super) fn artifacts(
    account: &Account<'_>,
    watched: Option<&Watched<'_>>,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let callers = Callers::of(account);
    let stops = billing::stops(account, &callers);
    let cloud = Cloud { account, watched, callers, stops };
    let mut artifacts = budget::artifacts(&cloud, out);
    artifacts.extend(alarm::artifacts(&cloud, out));
    artifacts.extend(delivery::artifacts(&cloud, out));
    artifacts.extend(query::artifacts(account, out));
    artifacts.extend(trail::artifacts(account, out));
    artifacts
}

impl Cloud<'_, '_> {
    /// Whether a gateway serves metrics that are watched.
    fn counts(&self, gateway: Id<GatewaySpec>) -> bool {
        let name = self.account.graph().name(gateway);
        let tables = self.watched.iter().flat_map(|watched| &watched.tables);
        tables.into_iter().any(|table| table.gateway.name().as_str() == name)
    }

    fn request(&self, address: Address, region: (String, Origin), members: Members) -> Request {
        Request { address, region, members, needs: Vec::new() }
    }
}

/// The address of a document of this target.
fn address(kind: &str, name: impl Into<String>) -> Address {
    Address { target: "observability".into(), kind: kind.into(), name: name.into() }
}
