//! `log.jsonl`: a line for every epoch, of which no crash takes one away that a checkpoint knows of.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};

use super::RunDir;
use crate::checkpoint::atomic;
use crate::denoise::Losses;
use crate::train::history::EpochRecord;
use crate::{Error, Result};

impl RunDir {
    /// Adds a line to `log.jsonl`, in place of a last line that a crash cut short.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn append_log(&self, record: &EpochRecord) -> Result<()> {
        let path = self.log_path();
        let line = line(record);
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        append().map_err(|source| Error::io("write", &path, source))
    }

    /// Makes `log.jsonl` end where a run goes on, and gives back what it holds then: one record for each of the finished
    /// epochs, whose losses these are. Lines of later epochs, which will be trained again, are dropped; lines that somebody
    /// removed are written again, without their seconds.
    ///
    /// # Errors
    /// If it cannot be read or written, or a line is not a record.
    pub fn rewind_log(&self, finished: &[Losses]) -> Result<Vec<EpochRecord>> {
        let before = self.read_log()?;
        let record = |(epoch, losses): (u32, &Losses)| {
            let known = before.iter().find(|record| record.epoch == epoch);
            let seconds = known.map_or(0.0, |record| record.seconds);
            EpochRecord { epoch, training_loss: losses.training, validation_loss: losses.validation, seconds }
        };
        let records: Vec<EpochRecord> = (1..).zip(finished).map(record).collect();
        if records != before {
            let lines: Vec<String> = records.iter().map(line).collect();
            atomic::write(&self.log_path(), lines.concat().as_bytes())?;
        }
        Ok(records)
    }

    /// Reads `log.jsonl`; without one, there are no records, and a last line that a crash cut short does not count.
    ///
    /// # Errors
    /// If it cannot be read, or a line is not a record.
    pub fn read_log(&self) -> Result<Vec<EpochRecord>> {
        let path = self.log_path();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.map_err(|source| Error::io("read", &path, source))?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let record = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                let advice = "without this file, a run goes on with the losses in its checkpoint";
                Error::data(&path, format!("line {} is no record: {error}; {advice}", number + 1))
            })
        };
        whole.lines().enumerate().map(record).collect()
    }
}

/// A record as it stands in the log.
fn line(record: &EpochRecord) -> String {
    let mut line = serde_json::to_string(record).expect("a record is made of numbers");
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: u32) -> EpochRecord {
        EpochRecord { epoch, training_loss: 0.5, validation_loss: 0.25, seconds: 1.5 }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        run.append_log(&record(1)).unwrap();
        run.append_log(&record(2)).unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1), record(2)]);
        assert_eq!(
            fs::read_to_string(run.log_path()).unwrap().lines().next().unwrap(),
            r#"{"epoch":1,"training_loss":0.5,"validation_loss":0.25,"seconds":1.5}"#
        );
    }

    #[test]
    fn a_line_that_was_cut_short_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        run.append_log(&record(1)).unwrap();
        fs::write(run.log_path(), [&fs::read(run.log_path()).unwrap()[..], b"{\"epoch\":2,\"trai"].concat())
            .unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1)]);
        run.append_log(&record(2)).unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1), record(2)]);
        fs::write(run.log_path(), "{\"epoch\":2}\n").unwrap();
        assert!(run.read_log().unwrap_err().to_string().contains("line 1 is no record"));
    }

    #[test]
    fn the_log_goes_on_where_the_run_does() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        let losses = Losses { training: 0.5, validation: 0.25 };
        assert_eq!(run.rewind_log(&[]).unwrap(), []);
        (1..=3).for_each(|epoch| run.append_log(&record(epoch)).unwrap());
        assert_eq!(run.rewind_log(&[losses; 3]).unwrap(), [1, 2, 3].map(record));
        assert_eq!(run.rewind_log(&[losses; 2]).unwrap(), [1, 2].map(record));
        assert_eq!(run.read_log().unwrap(), [1, 2].map(record));
        // What is lost is written again; nobody knows its seconds.
        fs::remove_file(run.log_path()).unwrap();
        let rebuilt = [1, 2].map(|epoch| EpochRecord { seconds: 0.0, ..record(epoch) });
        assert_eq!(run.rewind_log(&[losses; 2]).unwrap(), rebuilt);
        assert_eq!(run.read_log().unwrap(), rebuilt);
    }
}
