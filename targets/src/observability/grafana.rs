//! Dashboards for Grafana: one for the platform, one for each tenant. They read what the rules record.

use std::collections::BTreeMap;

use super::metric::{self, Percentile, Recorded};
use super::promql::{Expression, Series};
use super::{Deployment, Watched, alert};
use crate::artifact::{Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// The version of the model of dashboards that is written. Source: documentation of Grafana, dashboard JSON model.
const SCHEMA_VERSION: i64 = 39;
const WINDOW: u64 = 300;
/// Columns of a dashboard, and the size of a panel.
const COLUMNS: usize = 24;
const WIDTH: usize = 12;
const HEIGHT: usize = 8;

/// A graph of one or more series.
struct Panel {
    title: &'static str,
    unit: &'static str,
    lines: Vec<Line>,
}

/// A series of a graph.
struct Line {
    expression: Expression,
    /// The label that names what it draws.
    label: &'static str,
    /// Why it is there, where that is another reason than that of the dashboard.
    origin: Option<Origin>,
}

impl Line {
    fn new(expression: Expression, label: &'static str) -> Self {
        Self { expression, label, origin: None }
    }
}

/// The dashboards of an environment.
pub(super) fn artifacts(watched: &Watched<'_>) -> Vec<Artifact> {
    let platform = dashboard(watched, None, platform());
    let served = Served::of(watched);
    let of_tenants =
        served.routes.keys().map(|tenant| dashboard(watched, Some(tenant), served.panels(tenant)));
    std::iter::once(platform).chain(of_tenants).collect()
}

/// What the gateways of an environment serve, by tenant and by route.
struct Served<'w> {
    /// The routes that each tenant may use.
    routes: BTreeMap<&'w str, BTreeMap<&'w str, Origin>>,
    /// The models behind each route, with the position of the route among all.
    deployments: BTreeMap<&'w str, (usize, Vec<Deployment<'w>>)>,
}

impl<'w> Served<'w> {
    fn of(watched: &'w Watched<'_>) -> Self {
        let mut routes: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for tenant in watched.tables.iter().flat_map(|table| &table.tenants) {
            let of_tenant = routes.entry(tenant.resource.name().as_str()).or_default();
            of_tenant.extend(tenant.routes.iter().cloned());
        }
        let mut deployments: BTreeMap<_, (_, Vec<_>)> = BTreeMap::new();
        for (at, deployment) in watched.deployments().enumerate() {
            let (_, of_route) = deployments.entry(deployment.route).or_insert((at, Vec::new()));
            of_route.push(deployment);
        }
        Self { routes, deployments }
    }

    /// The panels of a tenant.
    fn panels(&self, tenant: &str) -> Vec<Panel> {
        let none = BTreeMap::new();
        let routes = self.routes.get(tenant).unwrap_or(&none);
        let of_route = |recorded: &Recorded| {
            let one = |(route, origin): (&&str, &Origin)| Line {
                expression: recorded.of(metric::ROUTE, route),
                label: metric::ROUTE,
                origin: Some(origin.clone()),
            };
            routes.iter().map(one).collect::<Vec<_>>()
        };
        let mut mine: Vec<_> = routes.keys().filter_map(|route| self.deployments.get(route)).collect();
        mine.sort_by_key(|(at, _)| *at);
        let slow = |percentile| {
            let recorded = metric::latency(percentile, alert::latency::WINDOW);
            let line = |deployment: &Deployment<'_>| Line {
                expression: recorded.of(metric::DEPLOYMENT, &deployment.id),
                label: metric::DEPLOYMENT,
                origin: Some(deployment.origin.clone()),
            };
            mine.iter().flat_map(|(_, of_route)| of_route.iter().map(line)).collect()
        };
        let own = |recorded: Recorded| vec![Line::new(recorded.of(metric::TENANT, tenant), metric::TENANT)];
        let spent = hourly(metric::spend(3600).of(metric::TENANT, tenant));
        vec![
            Panel { title: "Tokens", unit: "short", lines: own(metric::tokens(WINDOW)) },
            Panel {
                title: "Dollars an hour",
                unit: "currencyUSD",
                lines: vec![Line::new(spent, metric::TENANT)],
            },
            Panel { title: "Requests by route", unit: "reqps", lines: of_route(&metric::requests(WINDOW)) },
            Panel { title: "Fallbacks by route", unit: "reqps", lines: of_route(&metric::fallbacks(WINDOW)) },
            Panel { title: "Latency, 95th percentile", unit: "s", lines: slow(Percentile::P95) },
            Panel { title: "Latency, 99th percentile", unit: "s", lines: slow(Percentile::P99) },
        ]
    }
}

fn platform() -> Vec<Panel> {
    let all = |recorded: Recorded| Expression::Series(Series::of(recorded.name));
    let p = |percentile| all(metric::latency(percentile, alert::latency::WINDOW));
    let share = all(metric::fallbacks(WINDOW)).per(all(metric::requests(WINDOW)));
    vec![
        Panel {
            title: "Tokens by tenant",
            unit: "short",
            lines: vec![Line::new(all(metric::tokens(WINDOW)), metric::TENANT)],
        },
        Panel {
            title: "Dollars an hour by tenant",
            unit: "currencyUSD",
            lines: vec![Line::new(hourly(all(metric::spend(3600))), metric::TENANT)],
        },
        Panel {
            title: "Requests by route",
            unit: "reqps",
            lines: vec![Line::new(all(metric::requests(WINDOW)), metric::ROUTE)],
        },
        Panel {
            title: "Share of fallbacks by route",
            unit: "percentunit",
            lines: vec![Line::new(share, metric::ROUTE)],
        },
        Panel {
            title: "Latency, 95th percentile",
            unit: "s",
            lines: vec![Line::new(p(Percentile::P95), metric::DEPLOYMENT)],
        },
        Panel {
            title: "Latency, 99th percentile",
            unit: "s",
            lines: vec![Line::new(p(Percentile::P99), metric::DEPLOYMENT)],
        },
    ]
}

fn hourly(each_second: Expression) -> Expression {
    each_second.times(Expression::Number(3600.0))
}

fn dashboard(watched: &Watched<'_>, tenant: Option<&str>, panels: Vec<Panel>) -> Artifact {
    let environment = watched.environment;
    let name = tenant
        .map_or_else(|| format!("{environment}-platform"), |tenant| format!("{environment}-tenant-{tenant}"));
    let title = tenant.map_or_else(
        || format!("AI platform, {environment}"),
        |tenant| format!("AI of tenant {tenant}, {environment}"),
    );
    let address = watched.address("GrafanaDashboard", &name);
    let tree = || described(watched, (&name, title), panels);
    Artifact::of(watched.input.wanted, (address, Format::Json), watched.origin.clone(), tree)
}

fn described(watched: &Watched<'_>, (name, title): (&str, String), panels: Vec<Panel>) -> Tree {
    let layout = Origin::default(watched.input.sources, "grafana.layout");
    let panels = panels.into_iter().filter(|panel| !panel.lines.is_empty()).enumerate();
    let panels = panels.map(|(at, panel)| self::panel(at, &panel));
    let source = Tree::map([
        ("name", Tree::text("datasource")),
        ("label", Tree::text("Prometheus")),
        ("type", Tree::text("datasource")),
        ("query", Tree::text("prometheus")),
    ]);
    Tree::map([
        ("uid", Tree::text(uid(name)).from(layout.clone())),
        ("title", Tree::text(title)),
        ("tags", Tree::list([Tree::text("aipolicy")]).from(layout.clone())),
        ("schemaVersion", Tree::integer(SCHEMA_VERSION).from(layout.clone())),
        ("editable", Tree::bool(false).from(layout.clone())),
        ("refresh", Tree::text("1m").from(layout.clone())),
        ("time", Tree::map([("from", Tree::text("now-6h")), ("to", Tree::text("now"))]).from(layout.clone())),
        ("templating", Tree::map([("list", Tree::list([source]))]).from(layout)),
        ("panels", Tree::list(panels)),
    ])
}

/// Grafana takes at most 40 characters.
fn uid(name: &str) -> String {
    let digest = crate::artifact::digest(name.as_bytes());
    let digits = digest.strip_prefix("sha256:").unwrap_or(&digest);
    format!("aipolicy-{}", digits.get(..16).unwrap_or(digits))
}

fn panel(at: usize, panel: &Panel) -> Tree {
    let (column, row) = (at * WIDTH % COLUMNS, at * WIDTH / COLUMNS * HEIGHT);
    let place = [("h", HEIGHT), ("w", WIDTH), ("x", column), ("y", row)];
    let source = || Tree::map([("type", Tree::text("prometheus")), ("uid", Tree::text("${datasource}"))]);
    let lines = panel.lines.iter().enumerate().map(|(at, line)| {
        let tree = Tree::map([
            ("refId", Tree::text(reference(at))),
            ("datasource", source()),
            ("expr", Tree::text(line.expression.to_string())),
            ("legendFormat", Tree::text(format!("{{{{{}}}}}", line.label))),
        ]);
        match &line.origin {
            Some(origin) => tree.from(origin.clone()),
            None => tree,
        }
    });
    let defaults = Tree::map([("unit", Tree::text(panel.unit)), ("min", Tree::integer(0))]);
    Tree::map([
        ("id", Tree::integer(i64::try_from(at + 1).unwrap_or(i64::MAX))),
        ("type", Tree::text("timeseries")),
        ("title", Tree::text(panel.title)),
        ("datasource", source()),
        (
            "gridPos",
            Tree::map(place.map(|(key, value)| (key, Tree::integer(i64::try_from(value).unwrap_or(0))))),
        ),
        ("fieldConfig", Tree::map([("defaults", defaults), ("overrides", Tree::list([]))])),
        ("targets", Tree::list(lines)),
    ])
}

/// `A` to `Z`, then `A1` and so on.
fn reference(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    match at / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
