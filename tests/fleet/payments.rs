//! Payments at a foreign emulator of Stripe.

mod localstripe;
