//! RETR, STOR, APPE, STOU, REST and ABOR: files over the data connection. A transfer always watches
//! the control connection as well, so that an ABOR or the client's disappearance ends it at once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use exeunt_api::prelude::*;

use crate::ascii::{self, FromWire};
use crate::client::Client;
use crate::control::{For, Turn};
use crate::data;
use crate::path::VirtualPath;
use crate::reply::{Answer, Reply, Stop};
use crate::tree::Upload;

/// How much is read from a file or the network at once.
const CHUNK: usize = 256 * 1024;
/// How much is written at once when a connection is ready for writing: what certainly fits then, so
/// that the write itself does not wait, deaf to the control connection.
const PIECE: usize = 4096;

/// `RETR`
pub(crate) fn retr(client: &mut Client<'_>, argument: &str) -> Answer {
    let offset = std::mem::take(&mut client.restart);
    let path = client.path(argument);
    let (mut file, length) =
        client.tree.open(&path).map_err(|error| Reply::from_io(550, argument, &error))?;
    let Some(left) = length.checked_sub(offset) else {
        return Ok(Reply::new(554, format!("{argument} has only {length} bytes.")));
    };
    let data = data::open(client, &opening(client.ascii, argument, &format!(" ({left} bytes)")))?;
    client.count(|tally| tally.begin(&path))?;
    if client.ascii {
        send_as_text(client, &mut file, offset, &data)?;
    } else {
        send_as_it_is(client, &file, offset, &data)?;
    }
    client.count(|tally| tally.fetched += 1)?;
    Ok(complete())
}

/// `STOR`
pub(crate) fn stor(client: &mut Client<'_>, argument: &str) -> Answer {
    let offset = std::mem::take(&mut client.restart);
    let upload = create(client, argument, false)?;
    if offset > upload.length {
        discard(client, &upload);
        return Ok(Reply::new(554, format!("{argument} has only {} bytes.", upload.length)));
    }
    let start = if offset == 0 { Start::Anew } else { Start::At(offset) };
    store(client, upload, start, &opening(client.ascii, argument, ""))
}

/// `APPE`
pub(crate) fn appe(client: &mut Client<'_>, argument: &str) -> Answer {
    client.restart = 0;
    let upload = create(client, argument, false)?;
    let end = upload.length;
    store(client, upload, Start::At(end), &opening(client.ascii, argument, ""))
}

/// `STOU`: a name that no other file has, told in the first reply.
pub(crate) fn stou(client: &mut Client<'_>, _: &str) -> Answer {
    client.restart = 0;
    for number in 1..=1000 {
        let name = format!("upload.{number}");
        match client.tree.create(&client.path(&name), true) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Ok(Reply::from_io(550, name, &error)),
            Ok(upload) => return store(client, upload, Start::Anew, &format!("FILE: {name}")),
        }
    }
    Ok(Reply::new(450, "There is no free name here."))
}

/// `REST`
pub(crate) fn rest(client: &mut Client<'_>, argument: &str) -> Answer {
    let Ok(offset) = argument.trim().parse::<u64>() else {
        return Ok(Reply::new(501, "REST takes the number of bytes to skip."));
    };
    if client.ascii && offset > 0 {
        return Ok(Reply::new(501, "Restarting needs TYPE I."));
    }
    client.restart = offset;
    Ok(Reply::new(350, format!("The next transfer starts at {offset}.")))
}

/// `ABOR` when nothing is transferred, or after the reply to the transfer that it has stopped.
pub(crate) fn abor(client: &mut Client<'_>, _: &str) -> Answer {
    client.plan = data::Plan::None;
    Ok(Reply::new(226, "Abort successful."))
}

fn opening(ascii: bool, name: &str, size: &str) -> String {
    let kind = if ascii { "ASCII" } else { "BINARY" };
    format!("Opening {kind} mode data connection for {name}{size}.")
}

pub(crate) fn complete() -> Reply {
    Reply::new(226, "Transfer complete.")
}

fn aborted() -> Stop {
    Reply::new(426, "Transfer aborted.").into()
}

/// The end of a transfer for an error of its data connection.
fn lost(error: Error) -> Stop {
    if error.is_ending() {
        return error.into();
    }
    Reply::new(426, "The data connection is lost.").into()
}

/// Sends bytes over the data connection.
pub(crate) fn send(client: &mut Client<'_>, data: &Stream, bytes: &[u8]) -> Answer<()> {
    for piece in bytes.chunks(PIECE) {
        wait(client, data, For::Writing)?;
        client.session.write_all(data, piece).map_err(lost)?;
    }
    Ok(())
}

fn wait(client: &mut Client<'_>, data: &Stream, purpose: For) -> Answer<()> {
    match client.control.watch(data, purpose, None)? {
        Turn::Ready => Ok(()),
        Turn::Abort | Turn::TimedOut => Err(aborted()),
    }
}

fn send_as_it_is(
    client: &mut Client<'_>,
    file: &File,
    mut offset: u64,
    data: &Stream,
) -> Answer<()> {
    loop {
        wait(client, data, For::Writing)?;
        let sent = client.session.send_file(file, &mut offset, data).map_err(lost)?;
        if sent == 0 {
            return Ok(());
        }
        client.count(|tally| tally.bytes_fetched += sent)?;
    }
}

fn send_as_text(
    client: &mut Client<'_>,
    file: &mut File,
    offset: u64,
    data: &Stream,
) -> Answer<()> {
    let unreadable = |error| Reply::from_io(451, "Transfer aborted", &error);
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    let mut chunk = vec![0; CHUNK];
    let mut wire = Vec::with_capacity(CHUNK * 2);
    loop {
        let length = file.read(&mut chunk).map_err(unreadable)?;
        if length == 0 {
            return Ok(());
        }
        wire.clear();
        ascii::to_wire(&chunk[..length], &mut wire);
        send(client, data, &wire)?;
        client.count(|tally| tally.bytes_fetched += length as u64)?;
    }
}

/// Where an upload begins.
#[derive(Clone, Copy)]
enum Start {
    /// With an empty file.
    Anew,
    /// Here, whatever lies before and after it.
    At(u64),
}

fn create(client: &Client<'_>, argument: &str, new: bool) -> Answer<Upload> {
    let path = client.path(argument);
    let created = client.tree.create(&path, new);
    Ok(created.map_err(|error| Reply::from_io(550, argument, &error))?)
}

/// Removes the empty file of an upload that did not begin.
fn discard(client: &Client<'_>, upload: &Upload) {
    if !upload.created {
        return;
    }
    if let Err(error) = client.tree.remove_file(&upload.path) {
        client.session.log().warn(format!("cannot remove {}: {error}", upload.path));
    }
}

/// Receives a file. What has come of it stays if the transfer ends early: a client that comes back
/// can go on with REST or APPE.
fn store(client: &mut Client<'_>, mut upload: Upload, start: Start, text: &str) -> Answer {
    let data = match data::open(client, text) {
        Ok(data) => data,
        Err(stop) => {
            discard(client, &upload);
            return Err(stop);
        }
    };
    client.count(|tally| tally.begin(&upload.path))?;
    // Not before the data connection is there: without it the old content has to stay.
    let placed = match start {
        Start::Anew => upload.file.set_len(0),
        Start::At(offset) => upload.file.seek(SeekFrom::Start(offset)).map(|_| ()),
    };
    placed.map_err(|error| unwritable(&upload.path, &error))?;
    receive(client, &data, &mut upload)?;
    client.count(|tally| tally.stored += 1)?;
    client.tell_stored(&upload)?;
    Ok(complete())
}

fn receive(client: &mut Client<'_>, data: &Stream, upload: &mut Upload) -> Answer<()> {
    let mut chunk = vec![0; CHUNK];
    let mut converter = client.ascii.then(FromWire::default);
    let mut text = Vec::new();
    loop {
        wait(client, data, For::Reading)?;
        let length = client.session.read(data, &mut chunk).map_err(lost)?;
        let content = match &mut converter {
            None => &chunk[..length],
            Some(converter) => {
                text.clear();
                converter.feed(&chunk[..length], &mut text);
                if length == 0 {
                    converter.finish(&mut text);
                }
                &text
            }
        };
        upload.file.write_all(content).map_err(|error| unwritable(&upload.path, &error))?;
        let written = content.len() as u64;
        client.count(|tally| tally.bytes_stored += written)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn unwritable(path: &VirtualPath, error: &io::Error) -> Reply {
    Reply::from_io(451, path, error)
}
