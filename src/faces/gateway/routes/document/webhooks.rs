//! The payment provider's part of the document.

use utoipa::OpenApi;

use crate::faces::gateway::routes::webhooks;

#[derive(OpenApi)]
#[openapi(paths(webhooks::post_stripe))]
pub struct Webhooks;
