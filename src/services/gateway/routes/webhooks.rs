//! Where the payment provider calls us. Signed, so that nobody else can; and even then only a hint.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::http::body;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::payments::{Heard, Payments, Word};
use crate::services::gateway::Gateway;
use crate::services::gateway::metric::Metric;
use crate::services::gateway::routes::{Reply, path};
use crate::services::gateway::word::{heed, heed_refund};

const SIGNATURE: &str = "Stripe-Signature";

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/webhooks/stripe").route(web::post().to(post_stripe::<W>)));
}

async fn post_stripe<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let body = body::read(req.headers(), &mut payload.into_inner(), gateway.settings().webhook_bytes_max).await?;
    let signature = req.headers().get(SIGNATURE).and_then(|value| value.to_str().ok());
    let word = Word { signature, body: &body, now: gateway.clock().now() };
    let outcome = match gateway.world().payments().hear(word).await? {
        Heard::Payment(id) => {
            let here = Gateway::clone(&gateway);
            gateway.finish(async move { heed(here.world(), here.settings(), id).await }).await?
        }
        Heard::WentBack(id) => {
            let here = Gateway::clone(&gateway);
            gateway.finish(async move { heed_refund(here.world(), here.settings(), id).await }).await?
        }
        Heard::Nothing => "nothing",
        Heard::Forged { why } => {
            count("forged");
            return Err(Problem::field(SIGNATURE, Kind::Invalid, why));
        }
        Heard::Unreadable { why } => {
            count("unreadable");
            return Err(Problem::field("body", Kind::Invalid, why));
        }
        Heard::Nobody => return Err(Problem::new(Kind::NotFound, "the payment provider of this shop does not call")),
    };
    count(outcome);
    Ok(HttpResponse::NoContent().finish())
}

fn count(outcome: &'static str) {
    metrics::counter!(Metric::Words.name(), "outcome" => outcome).increment(1);
}
