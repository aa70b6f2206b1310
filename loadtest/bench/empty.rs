//! The reference of every accept rate: an actix-web handler that reads nothing, does nothing and answers 200.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, web};
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::server::{self, ServerSettings};

/// Serves on a free port, which it prints, with one worker; until it is killed.
pub fn serve() -> Result<bool, String> {
    let settings = ServerSettings { listen: SocketAddr::from(([127, 0, 0, 1], 0)), workers: 1, ..Default::default() };
    let serving = async {
        let (address, server) = server::bind(&settings, 1_000, Connections::default(), || {
            App::new().route("/v1/sales/1/attempts", web::post().to(|| async { HttpResponse::Ok().finish() }))
        })?;
        println!("{address}");
        server.await
    };
    actix_web::rt::System::new().block_on(serving).map_err(|error| error.to_string())?;
    Ok(true)
}
