//! Payments at somebody else's emulator of Stripe.

mod localstripe;
