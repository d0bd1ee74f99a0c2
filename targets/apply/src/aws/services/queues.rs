//! Amazon SQS.

use super::operations;

operations! {
    aws_sdk_sqs:
    "CreateQueue" => create_queue();
    "DeleteQueue" => delete_queue();
    "GetQueueAttributes" => get_queue_attributes();
    "GetQueueUrl" => get_queue_url();
    "ListQueueTags" => list_queue_tags();
    "ListQueues" => list_queues();
    "SetQueueAttributes" => set_queue_attributes();
    "TagQueue" => tag_queue();
    "UntagQueue" => untag_queue();
}
