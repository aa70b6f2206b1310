//! Where the payment provider calls us. Signed, so that no other client can; and even then only a hint.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::money::webhook::{handle_webhook, heed_refund};
use crate::faces::front::routes::{Reply, path};
use crate::faces::webhooks::Webhooks;
use crate::faces::webhooks::metric::Metric;
use crate::kit::http::body;
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::money::payments::{WebhookEvent, WebhookRequest};

const SIGNATURE: &str = "Stripe-Signature";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/webhooks/stripe").route(web::post().to(post_stripe)));
}

/// Where the payment provider calls
///
/// Signed by the provider; a body of at most webhook_bytes_max bytes.
#[utoipa::path(
    post,
    path = "/v1/webhooks/stripe",
    operation_id = "stripe_webhook",
    params(("Stripe-Signature" = String, Header)),
    request_body(content = Object, description = "An event of the provider's."),
    responses(
        (status = 204, description = "Received. It is a hint only: the provider is asked what is so."),
        problems::Missing,
    ),
)]
async fn post_stripe(req: HttpRequest, payload: Payload, webhooks: Data<Webhooks>) -> Reply {
    let body = body::read(req.headers(), &mut payload.into_inner(), webhooks.settings().webhook_bytes_max).await?;
    let signature = req.headers().get(SIGNATURE).and_then(|value| value.to_str().ok());
    let word = WebhookRequest { signature, body: &body, now: webhooks.clock().now() };
    let outcome = match webhooks.needs().payments.hear(word).await? {
        WebhookEvent::Payment(id) => {
            let here = Webhooks::clone(&webhooks);
            webhooks.finish(async move { handle_webhook(&here.needs().money, here.effort(), id).await }).await?
        }
        WebhookEvent::WentBack(id) => {
            let here = Webhooks::clone(&webhooks);
            webhooks.finish(async move { heed_refund(&here.needs().money, here.effort(), id).await }).await?
        }
        WebhookEvent::Nothing => "nothing",
        WebhookEvent::Forged { why } => {
            count("forged");
            return Err(Problem::field(SIGNATURE, Kind::INVALID, why));
        }
        WebhookEvent::Unreadable { why } => {
            count("unreadable");
            return Err(Problem::field("body", Kind::INVALID, why));
        }
        WebhookEvent::Nobody => {
            return Err(Problem::new(Kind::NOT_FOUND, "the payment provider of this shop does not call"));
        }
    };
    count(outcome);
    Ok(HttpResponse::NoContent().finish())
}

fn count(outcome: &'static str) {
    metrics::counter!(Metric::Words.name(), "outcome" => outcome).increment(1);
}
