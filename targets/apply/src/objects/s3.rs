//! Objects in a bucket of S3, written on conditions (`If-None-Match`, `If-Match`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, ProvideCredentials as _, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use tokio::sync::OnceCell;

use super::{Expect, Object, ObjectError, Objects};

/// How often the SDK asks.
const ATTEMPTS: u32 = 8;
/// How often a write is tried that another one was in the way of: S3 answers 409 to one of two conditional writes at once and
/// asks to try again (S3 User Guide, "Conditional requests").
const CONFLICTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The code of an object that is not there, which a bucket that is not there does not have.
const NO_OBJECT: &str = "NoSuchKey";

/// Where objects are in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The name of the bucket.
    pub name: String,
    /// What every key begins with.
    pub prefix: String,
    /// Its region.
    pub region: String,
}

/// A bucket. Nothing is asked before the first question.
pub(crate) struct S3 {
    bucket: Bucket,
    client: OnceCell<Client>,
}

impl S3 {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self { bucket, client: OnceCell::new() }
    }

    async fn client(&self) -> Result<&Client, ObjectError> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Client, ObjectError> {
        let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.bucket.region.clone()))
            .retry_config(retry);
        let config = config.load().await;
        if let Some(provider) = config.credentials_provider() {
            let found = provider.provide_credentials().await;
            found.map_err(|error| ObjectError::NoCredentials(told(&error)))?;
        }
        // An endpoint that somebody names rarely has a name for each bucket.
        let is_elsewhere =
            config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        Ok(Client::from_conf(Builder::from(&config).force_path_style(is_elsewhere).build()))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.bucket.prefix)
    }

    fn refused<E>(&self, name: &str, error: &SdkError<E, HttpResponse>) -> ObjectError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let said = error.code().zip(error.message());
        let reason = said.map_or_else(|| told(error), |(code, message)| format!("{code}: {message}"));
        ObjectError::Refused { place: self.place(name), reason }
    }

    async fn try_put(&self, name: &str, expect: Expect<'_>, bytes: Vec<u8>) -> Result<Answer, ObjectError> {
        let put = self.client().await?.put_object().bucket(&self.bucket.name).key(self.key(name));
        let put = match expect {
            Expect::Absent => put.if_none_match("*"),
            Expect::Tag(tag) => put.if_match(tag),
        };
        match put.body(ByteStream::from(bytes)).send().await {
            Ok(done) => match done.e_tag {
                Some(tag) => Ok(Answer::Done(tag)),
                None => Err(ObjectError::Refused {
                    place: self.place(name),
                    reason: "the service gave no tag".into(),
                }),
            },
            // What a condition says is no error that the SDK knows, so the status is looked at.
            Err(error) => match error.raw_response().map(|answer| answer.status().as_u16()) {
                Some(412) => Ok(Answer::Otherwise),
                Some(404) if error.code() == Some(NO_OBJECT) => Ok(Answer::Otherwise),
                Some(409) => Ok(Answer::Conflict),
                _ => Err(self.refused(name, &error)),
            },
        }
    }
}

enum Answer {
    Done(String),
    /// What was expected is not so.
    Otherwise,
    /// Somebody else writes at this moment.
    Conflict,
}

#[async_trait]
impl Objects for S3 {
    async fn get(&self, name: &str) -> Result<Option<Object>, ObjectError> {
        let date = Date::default();
        let get = self.client().await?.get_object().bucket(&self.bucket.name).key(self.key(name));
        let found = match get.customize().interceptor(date.clone()).send().await {
            Ok(found) => found,
            Err(error) if error.code() == Some(NO_OBJECT) => return Ok(None),
            Err(error) => return Err(self.refused(name, &error)),
        };
        let refused = |reason: String| ObjectError::Refused { place: self.place(name), reason };
        let age = found.last_modified.and_then(|written| date.since(written));
        let tag = found.e_tag.ok_or_else(|| refused("the service gave no tag".into()))?;
        let bytes = found.body.collect().await.map_err(|error| refused(error.to_string()))?;
        Ok(Some(Object { bytes: bytes.to_vec(), tag, age }))
    }

    async fn put(
        &self,
        name: &str,
        expect: Expect<'_>,
        bytes: Vec<u8>,
    ) -> Result<Option<String>, ObjectError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..CONFLICTS {
            match self.try_put(name, expect, bytes.clone()).await? {
                Answer::Done(tag) => return Ok(Some(tag)),
                Answer::Otherwise => return Ok(None),
                Answer::Conflict => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Err(ObjectError::Refused {
            place: self.place(name),
            reason: "others write to it all the time".into(),
        })
    }

    async fn list(&self, start: &str) -> Result<Vec<String>, ObjectError> {
        let list = self.client().await?.list_objects_v2().bucket(&self.bucket.name).prefix(self.key(start));
        let mut pages = list.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.refused(start, &error))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            names.extend(keys.filter_map(|key| key.strip_prefix(&self.bucket.prefix)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn place(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket.name, self.key(name))
    }
}

/// What time it was at the service when it answered.
#[derive(Clone, Debug, Default)]
struct Date(Arc<Mutex<Option<DateTime>>>);

impl Date {
    /// The time since something was written. Both times are those of the service, so that no clock of ours counts.
    fn since(&self, written: DateTime) -> Option<Duration> {
        let now = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(Duration::from_secs(u64::try_from(now.secs() - written.secs()).unwrap_or(0)))
    }
}

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "Date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

/// An error with everything that it says it comes from.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.dedup();
    causes.join(": ")
}
