//! One call of an SDK: its request carries the members of a document as they are, and its answer is kept as it came.
//!
//! The typed operations of the SDK say where a request goes, how it is signed and when it is asked again. What they say
//! is the members of a document, which a reviewer has seen, so these are sent word for word.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::{BoxError, ProvideErrorMetadata, SdkError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::cbor;
use super::error::Refusal;

/// What services say that speak CBOR (Smithy RPC v2 CBOR).
const CBOR: &str = "application/cbor";

/// The members of a request or of an answer.
pub(super) type Members = Map<String, Value>;

/// A call whose request says these members, and its answer once there is one.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    members: Members,
    answer: Arc<Mutex<Option<Answer>>>,
}

#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    is_cbor: bool,
    body: Vec<u8>,
}

impl Exchange {
    pub(super) fn of(members: Members) -> Self {
        Self { members, answer: Arc::default() }
    }

    /// The answer as it came. The SDK may know fewer members than the service, or find one strange: what was carried out
    /// was carried out.
    pub(super) fn answer<T, E>(&self, sent: Result<T, SdkError<E, HttpResponse>>) -> Result<Value, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let kept = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (sent, kept) {
            (_, Some(answer)) if (200..300).contains(&answer.status) && answer.body.is_empty() => {
                Ok(Value::Object(Members::new()))
            }
            (_, Some(answer)) if (200..300).contains(&answer.status) && answer.is_cbor => {
                cbor::read(&answer.body).map_err(Refusal::unreadable)
            }
            (_, Some(answer)) if (200..300).contains(&answer.status) => {
                serde_json::from_slice(&answer.body).map_err(Refusal::unreadable)
            }
            (Err(error), _) => Err(Refusal::of(error)),
            (Ok(_), _) => Err(Refusal::unreadable("the service answered, and the answer was not kept")),
        }
    }
}

impl Intercept for Exchange {
    fn name(&self) -> &'static str {
        "Exchange"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.members.is_empty() {
            return Ok(());
        }
        let request = context.request_mut();
        // What the SDK says itself is the token that makes a call count once.
        let is_cbor = request.headers().get("content-type") == Some(CBOR);
        let mut said: Members = match request.body().bytes() {
            Some(body) if !body.is_empty() && is_cbor => serde_json::from_value(cbor::read(body)?)?,
            Some(body) if !body.is_empty() => serde_json::from_slice(body)?,
            _ => Members::new(),
        };
        said.extend(self.members.clone());
        let body = match is_cbor {
            true => cbor::written(&said.into())?,
            false => serde_json::to_vec(&said)?,
        };
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if let Some(body) = response.body().bytes() {
            let is_cbor = response.headers().get("content-type") == Some(CBOR);
            let answer = Answer { status: response.status().as_u16(), is_cbor, body: body.to_vec() };
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        Ok(())
    }
}

/// A member that goes into the path or the query of a request.
pub(super) fn apart<T: DeserializeOwned>(members: &Members, name: &str) -> Option<T> {
    serde_json::from_value(members.get(name)?.clone()).ok()
}

/// The members that are left for the body.
pub(super) fn left(members: Members, apart: &[&str]) -> Members {
    members.into_iter().filter(|(name, _)| !apart.contains(&name.as_str())).collect()
}

/// The operations of a service by name, each with the members that go into its path or query and not into its body, and
/// with what is always said there.
macro_rules! operations {
    ($sdk:ident: $(
        $name:literal => $method:ident($($member:literal: $setter:ident),*)$(.$always:ident($value:expr))?;
    )+) => {
        /// Asks the service.
        pub(in crate::aws) async fn ask(
            config: &aws_config::SdkConfig,
            operation: &str,
            members: crate::aws::exchange::Members,
        ) -> Result<serde_json::Value, crate::aws::error::Refusal> {
            use crate::aws::exchange::{self, Exchange};

            let client = $sdk::Client::new(config);
            match operation {
                $($name => {
                    let call = client.$method()$(.$setter(exchange::apart(&members, $member)))*$(.$always($value))?;
                    let exchange = Exchange::of(exchange::left(members, &[$($member),*]));
                    let sent = call.customize().interceptor(exchange.clone()).send().await;
                    exchange.answer(sent)
                })+
                other => {
                    let why = format!("`{other}` is no operation that is asked of this service");
                    Err(crate::aws::error::Refusal::unreadable(why))
                }
            }
        }
    };
}

pub(super) use operations;
