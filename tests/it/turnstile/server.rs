//! What only a server can do to a turnstile: forget its scripts, forget everything, go away and come back.
