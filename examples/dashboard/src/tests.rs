//! The service as its clients use it, over links that break, under a paused clock.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use tokio::time::{Instant, timeout};
use wslink::{
    Server,
    client::{Buffer, Continuity, Event, State},
    testing::Link,
};

use crate::dashboard::{Dashboard, DashboardClient, DashboardError};

async fn connect(link: &Link) -> (Server, wslink::client::Session, DashboardClient) {
    let server = Server::builder().service(Dashboard::running).build().unwrap();
    let session = link.session(&server).connect().await.unwrap();
    (server, session.clone(), session.into())
}

#[tokio::test(start_paused = true)]
async fn the_log_has_no_gaps_however_often_the_connection_breaks() {
    let link = Link::default().latency(Duration::from_millis(30));
    let (_server, session, dashboard) = connect(&link).await;
    let mut log = dashboard.log().await.unwrap();
    let mut numbers = Vec::new();
    let mut resumed = 0;
    while numbers.len() < 40 {
        match log.next_event().await.unwrap().unwrap() {
            Event::Payload(entry) => numbers.push(entry.number),
            Event::Reconnected(what) => {
                assert_eq!(what, Continuity::Resumed);
                resumed += 1;
            }
            other => panic!("{other:?}"),
        }
        if numbers.len() % 10 == 5 && session.state() == State::Connected {
            link.cut();
        }
    }
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(resumed >= 3, "{resumed}");
}

#[tokio::test(start_paused = true)]
async fn who_is_away_sees_the_newest_of_each_machine_when_it_comes_back() {
    let link = Link::default();
    let (_server, _session, dashboard) = connect(&link).await;
    let mut now = dashboard.now().buffer(Buffer::default()).await.unwrap();
    now.next().await.unwrap().unwrap();
    link.unplug();
    tokio::time::sleep(Duration::from_secs(20)).await;
    link.plug_in();
    let missed = loop {
        if let Event::Reconnected(Continuity::Gap { missed }) = now.next_event().await.unwrap().unwrap() {
            break missed;
        }
    };
    assert!(missed > 500, "{missed}");
    let sample = now.next().await.unwrap().unwrap();
    assert!(sample.at > 19.0, "{sample:?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_looked_at_closely_by_who_asked_for_it() {
    let (_server, _session, dashboard) = connect(&Link::default()).await;
    let mut close = dashboard.close("cygnus".into(), 10).await.unwrap();
    for _ in 0..5 {
        assert_eq!(close.next().await.unwrap().unwrap().machine, "cygnus");
    }
    let mut nobody = dashboard.close("nobody".into(), None).await.unwrap();
    assert!(nobody.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_diagnosis_reports_and_can_be_given_up_and_its_errors_are_typed() {
    let (_server, _session, dashboard) = connect(&Link::default()).await;
    let mut log = dashboard.log().await.unwrap();
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let diagnosis = dashboard.diagnose("atlas".into()).on_progress(move |done: f64| report.send(done).unwrap());
    assert_eq!(diagnosis.await.unwrap().verdict, "is fine");
    let mut done = Vec::new();
    while let Some(more) = reports.recv().await {
        done.push(more);
    }
    assert!(done.len() == 40 && done.is_sorted(), "{done:?}");

    let start = Instant::now();
    assert!(timeout(Duration::from_secs(1), dashboard.diagnose("borealis".into())).await.is_err());
    let mut said = Vec::new();
    while start.elapsed() < Duration::from_secs(10) {
        let entry = log.next().await.unwrap().unwrap();
        said.extend((entry.machine == "borealis" && entry.text.starts_with("is")).then_some(entry.text));
    }
    assert_eq!(said, ["is being diagnosed"], "it was given up");

    let error = dashboard.diagnose("zeus".into()).await.unwrap_err();
    assert!(matches!(error.typed(), Some(DashboardError::NoSuchMachine { machine }) if machine == "zeus"), "{error}");
}
