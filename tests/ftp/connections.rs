//! Data connections: how they are agreed on, and whom they may come from and go to.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use super::dialogue::Ftp;
use super::sockets::connect_from;
use super::{Tree, logged_in};

#[test]
fn passive_connections_are_agreed_on_by_pasv_and_epsv() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("PASV", "227"),
        ("EPSV", "229"),
        ("EPSV 1", "229"),
        ("EPSV 2", "522"),
        ("EPSV 9", "522"),
        ("PASV x", "501"),
    ]);
}

#[test]
fn a_file_comes_over_the_address_that_pasv_tells() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let reply = ftp.ask("PASV").concat();
    let numbers = reply.split(['(', ')']).nth(1).expect("numbers in brackets");
    let bytes: Vec<u8> = numbers.split(',').map(|byte| byte.parse().expect("a byte")).collect();
    let [a, b, c, d, high, low] = bytes[..] else { panic!("not six numbers: {reply}") };
    let address = (Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
    let mut data = TcpStream::connect(address).expect("the server listens");
    ftp.table(&[("RETR a.txt", "150")]);
    assert_eq!(content(&mut data), "hello world");
    assert_eq!(ftp.code(), "226");
}

#[test]
fn after_epsv_all_there_is_only_epsv() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("EPSV ALL", "200"),
        ("PASV", "500"),
        ("PORT 127,0,0,1,200,1", "500"),
        ("EPRT |1|127.0.0.1|5000|", "500"),
        ("ABOR", "226"),
        ("PASV", "500"),
        ("PORT 127,0,0,1,200,1", "500"),
    ]);
    assert_eq!(ftp.fetch("RETR a.txt").0, "150 226");
}

#[test]
fn a_client_may_name_itself_and_no_service_of_the_system() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("PORT 127,0,0,1,200,1", "200"),
        ("PORT 127,0,0,1,4,0", "200"),
        ("PORT 127,0,0,1,3,255", "500"),
        ("PORT 127,0,0,1,0,22", "500"),
        ("PORT 127,0,0,1,0,0", "500"),
        ("EPRT |1|127.0.0.1|5000|", "200"),
        ("EPRT !1!127.0.0.1!5000!", "200"),
        ("EPRT |1|127.0.0.1|22|", "500"),
        ("EPRT |1|127.0.0.1|0|", "500"),
    ]);
}

#[test]
fn a_client_may_name_nobody_else() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("PORT 8,8,8,8,200,1", "500"),
        ("PORT 127,0,0,2,200,1", "500"),
        ("PORT 10,0,0,1,200,1", "500"),
        ("PORT 192,168,0,1,200,1", "500"),
        ("PORT 0,0,0,0,200,1", "500"),
        ("EPRT |1|8.8.8.8|5000|", "500"),
        ("EPRT |1|127.0.0.2|5000|", "500"),
        ("RETR a.txt", "425"),
    ]);
}

#[test]
fn what_is_no_address_is_refused() {
    let (_tree, _daemon, mut ftp) = logged_in();
    ftp.table(&[
        ("PORT", "501"),
        ("PORT 1,2,3", "501"),
        ("PORT 1,2,3,4,5,6,7", "501"),
        ("PORT 256,0,0,1,200,1", "501"),
        ("PORT 127,0,0,1,200,-1", "501"),
        ("EPRT", "501"),
        ("EPRT xx", "522"),
        ("EPRT |2|::1|5000|", "522"),
        ("EPRT |3|x|5000|", "522"),
        ("EPRT |1|127.0.0.1|70000|", "522"),
    ]);
}

#[test]
fn the_server_connects_to_a_client_that_listens() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let [high, low] = port.to_be_bytes();
    for command in [format!("PORT 127,0,0,1,{high},{low}"), format!("EPRT |1|127.0.0.1|{port}|")] {
        ftp.table(&[(&command, "200"), ("RETR a.txt", "150")]);
        assert_eq!(content(&mut listener.accept().expect("the server").0), "hello world");
        assert_eq!(ftp.code(), "226");
    }
    drop(listener);
    ftp.table(&[(&format!("EPRT |1|127.0.0.1|{port}|"), "200"), ("RETR a.txt", "150")]);
    assert_eq!(ftp.code(), "425");
    ftp.table(&[("NOOP", "200")]);
}

#[test]
fn a_connection_from_another_address_is_closed_and_the_own_one_taken() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let port = ftp.passive_port();
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut foreign = connect_from(Ipv4Addr::new(127, 0, 0, 9), to);
    ftp.table(&[("RETR a.txt", "150")]);
    assert_eq!(content(&mut foreign), "");
    let mut own = TcpStream::connect(to).expect("the server still listens");
    assert_eq!(content(&mut own), "hello world");
    assert_eq!(ftp.code(), "226");
}

#[test]
fn a_port_is_open_for_one_transfer_and_the_last_agreement_counts() {
    let (_tree, _daemon, mut ftp) = logged_in();
    let first = ftp.passive_port();
    let mut data = ftp.data();
    assert!(TcpStream::connect(("127.0.0.1", first)).is_err(), "the first is given up");
    ftp.table(&[("RETR a.txt", "150")]);
    assert_eq!((content(&mut data), ftp.code()), ("hello world".to_owned(), "226".to_owned()));
    let used = data.peer_addr().expect("an address");
    assert!(TcpStream::connect(used).is_err(), "it was used");
    ftp.table(&[("RETR a.txt", "425")]);
    let given_up = ftp.passive_port();
    ftp.table(&[("ABOR", "226")]);
    assert!(TcpStream::connect(("127.0.0.1", given_up)).is_err(), "it was given up");
}

#[test]
fn passive_ports_stay_within_their_range() {
    let tree = Tree::new();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let (first, last) = (free.port() - 3, free.port());
    let daemon = tree.served_with(&format!("passive_ports = '{first}-{last}'")).start();
    let mut ftp = Ftp::login(&daemon);
    for _ in 0..8 {
        let port = ftp.passive_port();
        assert!((first..=last).contains(&port), "{port} is not in {first}-{last}");
    }
}

fn content(data: &mut TcpStream) -> String {
    let mut content = String::new();
    data.read_to_string(&mut content).expect("the data");
    content
}
