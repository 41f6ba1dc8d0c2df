//! The client that `#[service(client)]` generates, against a server.

use wslink::{
    Attachment, ErrorCode,
    client::{Error, ProtocolVersion, Session},
};

use crate::{
    gallery::{Format, Gallery, GalleryClient, GalleryError, Picture, Size},
    harness::TestServer,
};

async fn connect(server: &TestServer, protocol: ProtocolVersion) -> GalleryClient {
    Session::builder(&format!("ws://{}/ws", server.address)).protocol(protocol).connect().await.unwrap().into()
}

fn picture() -> Picture {
    Picture { title: "dots".into(), size: Size { width: 2, height: Some(3) }, pixels: Attachment::from_static(b"\x00\xff") }
}

#[tokio::test]
async fn calls_and_topics_have_the_types_of_the_service() {
    let server = TestServer::start(|builder| builder.service(Gallery::new).secret_grants(["curator"]));
    for protocol in [ProtocolVersion::V1, ProtocolVersion::V2] {
        let gallery = connect(&server, protocol).await;
        let mut hung = gallery.hung().await.unwrap();
        let size = gallery.hang(picture(), None, Format::Jpeg).await.unwrap();
        assert_eq!(size, picture().size);
        assert_eq!(hung.next().await.unwrap().unwrap(), picture());
        let found = gallery.find("mona lisa".into(), None, None).await.unwrap();
        assert_eq!((found.size.width, &found.pixels[..]), (1, &[1, 2, 3][..]));
    }
}

#[tokio::test]
async fn a_stream_of_its_own_is_filtered_by_typed_arguments() {
    let server = TestServer::start(|builder| builder.service(Gallery::new).secret_grants(["curator"]));
    for protocol in [ProtocolVersion::V1, ProtocolVersion::V2] {
        let gallery = connect(&server, protocol).await;
        let mut numbers = gallery.numbers(6, 3).await.unwrap();
        let mut all = gallery.numbers(1, None).await.unwrap();
        for expected in [0, 3, 6] {
            assert_eq!(numbers.next().await.unwrap().unwrap(), expected);
        }
        for expected in [0, 1] {
            assert_eq!(all.next().await.unwrap().unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn typed_errors_arrive_with_code_name_and_data_and_others_without_their_text() {
    let server = TestServer::start(|builder| builder.service(Gallery::new).secret_grants(["curator"]));
    for protocol in [ProtocolVersion::V1, ProtocolVersion::V2] {
        let gallery = connect(&server, protocol).await;
        let mut told = Vec::new();
        for title in ["nothing", "guernica", "the scream"] {
            let Err(Error::Call(error)) = gallery.find(title.into(), None, None).await else { panic!("{title} was found") };
            told.push(error);
        }
        let [missing, large, stolen] = &told[..] else { unreachable!() };
        assert!(matches!(missing.typed(), Some(GalleryError::NotFound { title }) if title == "nothing"));
        let size = Size { width: 1, height: None };
        assert!(matches!(large.typed(), Some(GalleryError::TooLarge { size: got }) if got == size));
        assert!(stolen.typed::<GalleryError>().is_none());
        assert_eq!((missing.code(), missing.message()), (ErrorCode::Application(404), "no picture is called nothing"));
        assert_eq!(missing.data().unwrap().get("name").unwrap().as_str(), Some("not_found"));
        assert_eq!(missing.data().unwrap().get("title").unwrap().as_str(), Some("nothing"));
        assert_eq!(large.message(), "The picture is too large");
        assert_eq!(large.data().unwrap().get("size").unwrap().get("width"), Some(&1.into()));
        assert_eq!((stolen.code(), stolen.message()), (ErrorCode::Exception, "Exception raised"));
        assert!(!format!("{stolen:?}").contains("stolen"), "{stolen:?}");
        assert!(stolen.data().unwrap().get("trace").is_some(), "{stolen:?}");
    }
}
