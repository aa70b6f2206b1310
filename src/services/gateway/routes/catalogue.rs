//! What is sold, to anybody; and what a buyer must answer first.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::id::SaleId;
use crate::domain::money::{Currency, Money};
use crate::ports::World;
use crate::ports::payments::{Payments, Unpayable};
use crate::services::gateway::Gateway;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::services::gateway::views::{CurrencyView, SaleView};
use crate::services::question;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/sales").route(web::get().to(get_sales::<W>)))
        .service(path("/v1/sales/{id}").route(web::get().to(get_sale::<W>)))
        .service(path("/v1/sales/{id}/question").route(web::get().to(get_question::<W>)))
        .service(path("/v1/currencies").route(web::get().to(get_currencies::<W>)));
}

async fn get_sales<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let [limit, after] = query(&req, ["limit", "after"])?;
    let sales_max = gateway.settings().sales_max;
    let page: Page<SaleId> = Page::asked(limit, after, sales_max)?;
    // As long as any page may be, so that all who read from here read the same.
    let list = gateway.board().list(gateway.world(), page.after, sales_max + 1).await?;
    let mut shown: Vec<_> = list.iter().take(page.reach() as usize).collect();
    let next = page.cut(&mut shown, |shown| shown.sale.id);
    let now = gateway.clock().now();
    let views: Vec<SaleView> = shown.into_iter().map(|shown| SaleView::new(shown, now)).collect();
    Ok(page.answer(&req, next).json(views))
}

async fn get_sale<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let (board, world) = (gateway.board(), gateway.world());
    let shown = board.seen(world, sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let description = board.description(world, shown.sale.item).await?;
    Ok(HttpResponse::Ok().json(SaleView::new(&shown, gateway.clock().now()).described(&description)))
}

async fn get_question<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let shown = gateway.board().sale(gateway.world(), sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let index = question::index_for(&shown.sale, buyer);
    let prompt = index.map(|index| &shown.sale.questions[index].prompt);
    Ok(HttpResponse::Ok().json(serde_json::json!({ "question_id": index, "prompt": prompt })))
}

/// Those in which something can be paid here.
async fn get_currencies<W: World>(gateway: Data<Gateway<W>>) -> Reply {
    let payments = gateway.world().payments();
    let is_taken =
        |&currency: &Currency| !matches!(payments.check(Money { minor: 1, currency }), Err(Unpayable::Currency(_)));
    let views: Vec<CurrencyView> = Currency::all().into_iter().filter(is_taken).map(CurrencyView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}
