//! What PostgreSQL makes hard, made safe. All `unsafe` code of the extension is in this folder, each block with the
//! reason why it is sound; nothing in here knows about credits.

pub mod backend;
pub mod cache;
pub mod call;
pub mod installed;
pub mod locking;
pub mod memory;
pub mod placeholder;
pub mod planning;
pub mod row_version;
pub mod setting;
pub mod statement;
pub mod subtransaction;
pub mod value;
pub mod zone;
