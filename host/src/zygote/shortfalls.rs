//! What of a generation's privileges cannot be had here, said in a line each when it begins.

use crate::confine::Strength;
use crate::generation::Generation;
use crate::log;

/// Says what is not as it should be.
pub(super) fn tell(generation: &Generation) {
    match generation.confinement.strength() {
        Strength::Whole => {}
        Strength::Part => log::info(
            "the kernel's Landlock is an older one: sessions are kept from most of what no module declared",
        ),
        Strength::None => log::info(
            "the kernel has no Landlock: permissions alone keep sessions from what no module declared",
        ),
    }
    let without = generation.account.is_none();
    for listen in generation.listens.iter().filter(|listen| listen.login_users && without) {
        log::warn(format!(
            "listen {}: login_users needs a start as root: its sessions keep this user",
            listen.name
        ));
    }
}
