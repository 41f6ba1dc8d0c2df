//! The manifest by HTTP, for the same hosts and pages as the WebSocket.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};

use super::origin_policy::OriginPolicy;

/// Where it is served.
pub(super) const PATH: &str = "/manifest.json";

pub(super) fn answer(origin_policy: &OriginPolicy, request: &Request, json: Bytes) -> Response {
    match origin_policy.admit(request) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(refusal) => (StatusCode::FORBIDDEN, refusal.to_string()).into_response(),
    }
}
