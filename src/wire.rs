//! The only file that names both an adapter and a service: a world is chosen here.
