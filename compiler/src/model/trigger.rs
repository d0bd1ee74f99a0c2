//! What starts an agent: messages, events and times, each with where it goes when it fails.

use super::connector::ConnectorSpec;
use super::macros::{choice, record};
use super::reference::Ref;
use super::value::{Count, Cron, DottedPath, Duration, Literal, Name, Text, Texts, TimeZone};
use crate::source::{Span, Spanned};

record! {
    /// Messages of a queue.
    pub struct QueueTrigger {
        /// The queue: a connector of the kind `sqs`, in the region of the agent.
        queue: Ref<ConnectorSpec>,
        /// The queue for messages that fail: a connector of the kind `sqs`.
        dead_letter: Option<Ref<ConnectorSpec>>,
        /// How many messages are taken at once; 1 when left out.
        batch_size: Option<Spanned<Count>>,
        /// How often a message may be received before it has failed; 5 when left out.
        max_receive_count: Option<Spanned<Count>>,
    }
}

record! {
    /// Messages of a topic.
    pub struct TopicTrigger {
        /// Name of the SNS topic, in the region of the agent.
        topic: Spanned<Text>,
        /// The queue for messages that fail: a connector of the kind `sqs`.
        dead_letter: Option<Ref<ConnectorSpec>>,
    }
}

record! {
    /// What a field of an event must be.
    pub struct EventMatch {
        /// The only values.
        one_of: Vec<Spanned<Literal>>,
        /// What a text begins with.
        prefix: Option<Spanned<Text>>,
        /// The least number.
        min: Option<Spanned<Literal>>,
        /// The greatest number.
        max: Option<Spanned<Literal>>,
        /// Whether the field is there at all.
        exists: Option<Spanned<bool>>,
    }
}

record! {
    /// Events of a bus.
    pub struct EventTrigger {
        /// Name of the bus, in the region of the agent; the default bus when left out.
        bus: Option<Spanned<Text>>,
        /// Where events come from.
        source: Spanned<Text>,
        /// What they are called.
        detail_type: Vec<Spanned<Text>>,
        /// What their details must be, by the names of fields with `.` between them.
        detail: Texts<EventMatch>,
        /// The queue for events that fail: a connector of the kind `sqs`.
        dead_letter: Option<Ref<ConnectorSpec>>,
    }
}

choice! {
    /// When a schedule starts an agent.
    pub enum Times {
        /// Six fields as EventBridge reads them: minute, hour, day of month, month, day of week, year.
        Cron(Spanned<Cron>) = cron,
        /// Again and again, with so much time between.
        Rate(Spanned<Duration>) = rate,
    }
}

record! {
    /// A schedule.
    pub struct ScheduleTrigger {
        /// The time zone of `cron`; UTC when left out.
        time_zone: Option<Spanned<TimeZone>>,
        /// The queue for starts that fail: a connector of the kind `sqs`.
        dead_letter: Option<Ref<ConnectorSpec>>,
    }
    flatten {
        /// When it starts the agent.
        times: Times
    }
}

choice! {
    /// Where what starts an agent comes from.
    pub enum TriggerSource {
        /// Messages of a queue.
        Sqs(QueueTrigger) = sqs,
        /// Messages of a topic.
        Sns(TopicTrigger) = sns,
        /// Events of a bus.
        EventBridge(EventTrigger) = event_bridge,
        /// A schedule.
        Schedule(ScheduleTrigger) = schedule,
    }
}

record! {
    /// What makes a repetition harmless: an agent is started once for each key.
    pub struct Idempotency {
        /// The field of the message or event that is the key, with `.` between names; the id that the service gives when
        /// left out.
        key: Option<Spanned<DottedPath>>,
        /// How long a key is remembered; 1 day when left out.
        retention: Option<Spanned<Duration>>,
    }
}

record! {
    /// What starts an agent.
    pub struct AgentTrigger {
        /// Its name among the triggers of the agent; the word for where it comes from when left out.
        name: Option<Spanned<Name>>,
        /// What the agent is told before the message or event.
        input: Option<Spanned<Text>>,
        /// What makes a repetition harmless.
        idempotency: Option<Idempotency>,
        /// How often the agent may be at work for it at once.
        concurrency: Option<Spanned<Count>>,
    }
    flatten {
        /// Where it comes from.
        source: TriggerSource
    }
}

impl AgentTrigger {
    /// Its name among the triggers of the agent.
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or(self.word(), |name| name.value.as_str())
    }

    /// The word for where it comes from.
    pub fn word(&self) -> &'static str {
        match &self.source {
            TriggerSource::Sqs(_) => "sqs",
            TriggerSource::Sns(_) => "sns",
            TriggerSource::EventBridge(_) => "event-bridge",
            TriggerSource::Schedule(_) => "schedule",
        }
    }

    /// The line that stands for it: what it comes from.
    pub fn span(&self) -> Span {
        match &self.source {
            TriggerSource::Sqs(queue) => queue.queue.name.span,
            TriggerSource::Sns(topic) => topic.topic.span,
            TriggerSource::EventBridge(events) => events.source.span,
            TriggerSource::Schedule(schedule) => match &schedule.times {
                Times::Cron(cron) => cron.span,
                Times::Rate(rate) => rate.span,
            },
        }
    }

    /// The queue that its messages wait in, if it is one that is known.
    pub fn queue(&self) -> Option<&Ref<ConnectorSpec>> {
        match &self.source {
            TriggerSource::Sqs(queue) => Some(&queue.queue),
            TriggerSource::Sns(_) | TriggerSource::EventBridge(_) | TriggerSource::Schedule(_) => None,
        }
    }

    /// Whether a service hands content over to Lambda and does not wait, so that Lambda holds it for some hours.
    pub fn is_handed_over(&self) -> bool {
        match &self.source {
            TriggerSource::Sns(_) | TriggerSource::EventBridge(_) => true,
            TriggerSource::Sqs(_) | TriggerSource::Schedule(_) => false,
        }
    }

    /// The queue for what fails.
    pub fn dead_letter(&self) -> Option<&Ref<ConnectorSpec>> {
        match &self.source {
            TriggerSource::Sqs(queue) => queue.dead_letter.as_ref(),
            TriggerSource::Sns(topic) => topic.dead_letter.as_ref(),
            TriggerSource::EventBridge(events) => events.dead_letter.as_ref(),
            TriggerSource::Schedule(schedule) => schedule.dead_letter.as_ref(),
        }
    }

    /// What starts the agent, in words: "messages of queue `in`".
    pub fn phrase(&self) -> String {
        match &self.source {
            TriggerSource::Sqs(queue) => format!("messages of queue `{}`", queue.queue.name.value),
            TriggerSource::Sns(topic) => format!("messages of topic `{}`", topic.topic.value),
            TriggerSource::EventBridge(events) => {
                let bus = events.bus.as_ref().map_or("default", |bus| bus.value.as_str());
                let kinds: Vec<_> = events.detail_type.iter().map(|kind| kind.value.as_str()).collect();
                let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
                format!("events of `{}`{kinds} on bus `{bus}`", events.source.value)
            }
            TriggerSource::Schedule(schedule) => match &schedule.times {
                Times::Cron(cron) => {
                    let zone = schedule.time_zone.as_ref().map_or("UTC", |zone| zone.value.0.as_str());
                    format!("the clock at `{}` in {zone}", cron.value)
                }
                Times::Rate(rate) => format!("the clock every {} s", rate.value.seconds()),
            },
        }
    }
}
