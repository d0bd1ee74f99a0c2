//! AWS X-Ray.

use super::operations;

operations! {
    aws_sdk_xray:
    "GetTraceSegmentDestination" => get_trace_segment_destination();
    "UpdateTraceSegmentDestination" => update_trace_segment_destination();
}
