//! Lives of things on the server of AWS, led by boto3: `tests/servers/lives/`.

use std::time::Instant;

use serde_json::json;

use super::{python, shared};
use crate::harness::program::answer;

/// Runs the tests of a module of Python, each of which begins in an empty world.
fn led(module: &str) {
    let server = shared();
    let start = Instant::now();
    let told =
        answer(python().args(["-m", "lives", module]).env("SERVER", &server.address), "", "Python 3.11");
    println!("{told}{module}: {:.1} s", start.elapsed().as_secs_f64());
    assert!(told.contains(&format!("lives.{module}.")), "no test of {module} ran: {told}");
}

#[test]
fn iam_has_limits() {
    led("iam");
}

#[test]
fn agents_are_prepared_versioned_and_deleted() {
    led("agents");
}

#[test]
fn guardrails_profiles_and_logs() {
    led("guardrails");
}

#[test]
fn gateways_policies_harnesses_and_runtimes() {
    led("agentcore");
}

#[test]
fn budgets_and_what_moto_lacks() {
    led("gaps");
}

#[test]
fn every_service_validates_repeats_and_fails() {
    led("front");
}

#[test]
fn a_server_ends_with_whoever_started_it() {
    let server = super::Aws::start();
    let address = server.address.trim_start_matches("http://").to_owned();
    server.ask("config", Some(&json!({ "page": 7 })));
    assert_eq!(server.ask("config", None)["page"], 7);
    assert_eq!(server.ask("log", None), json!([]));
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
