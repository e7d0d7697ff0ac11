//! From what the user named to an image that the ROM will boot, before any board is touched.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::address::Address;
use crate::boot::{
    self, BootImage, HeaderPart, HeaderPolicy, HeaderWishes, Inserted, Judgement, Present, Reason,
};
use crate::image::{FileHash, Image, ImageError, RomPlaces};
use crate::problem::{ExitCode, Place, Problem};
use crate::target::Target;

/// The name that means standard input.
const STDIN: &str = "-";
/// More than any image needs, in any format: an ELF file with all its debug data.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// One input as the user named it: `FILE`, `FILE@ADDRESS`, or `-` for FILE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The file, or `-`.
    pub path: PathBuf,
    /// Where a raw binary belongs.
    pub start: Option<Address>,
    /// The SHA-256 that it must have.
    pub pin: Option<FileHash>,
}

impl InputFile {
    /// What `typed` means. An address begins with 0x; anything else behind an @ belongs to the name.
    pub fn named(typed: &OsStr) -> Self {
        let at = typed.to_str().and_then(|text| {
            let (path, address) = text.rsplit_once('@')?;
            Some((path, address_of(address)?)).filter(|(path, _)| !path.is_empty())
        });
        match at {
            Some((path, start)) => InputFile {
                path: path.into(),
                start: Some(start),
                pin: None,
            },
            None => InputFile {
                path: typed.into(),
                start: None,
                pin: None,
            },
        }
    }

    /// The inputs named by `typed`; the n-th of `pins` belongs to the n-th of them.
    ///
    /// # Errors
    /// Exit 2 for pins that do not cover every file, and for standard input given twice.
    pub fn all(typed: &[PathBuf], pins: &[FileHash]) -> Result<Vec<Self>, Problem> {
        let usage = |code, what| Problem::new(code, ExitCode::Usage, what);
        if !pins.is_empty() && pins.len() != typed.len() {
            return Err(usage("pin-count", "some files are pinned and some are not")
                .because(format!(
                    "{} of --sha256 for {} of IMAGE",
                    pins.len(),
                    typed.len()
                ))
                .fix("give --sha256 for every IMAGE, in the same order, or for none"));
        }
        let pins = pins.iter().copied().map(Some);
        let inputs: Vec<InputFile> = typed
            .iter()
            .zip(pins.chain(std::iter::repeat(None)))
            .map(|(typed, pin)| InputFile {
                pin,
                ..InputFile::named(typed.as_os_str())
            })
            .collect();
        if inputs.iter().filter(|input| input.is_stdin()).count() > 1 {
            return Err(usage("stdin-twice", "standard input was given twice")
                .because("it can be read once only")
                .fix("give the other image as a file"));
        }
        Ok(inputs)
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new(STDIN)
    }

    /// What it holds.
    ///
    /// # Errors
    /// `input-unreadable` and, where it is not the pinned one, `input-hash` (exit 13).
    pub fn content(&self) -> Result<Vec<u8>, Problem> {
        let content = self.unpinned_content()?;
        let Some(pinned) = self.pin else {
            return Ok(content);
        };
        let found = FileHash::of(&content);
        if found != pinned {
            return Err(ImageError::OtherFile {
                path: self.path.clone(),
                found,
                pinned,
            }
            .into());
        }
        Ok(content)
    }

    fn unpinned_content(&self) -> Result<Vec<u8>, Problem> {
        let read = if self.is_stdin() {
            read_limited(io::stdin().lock())
        } else {
            File::open(&self.path).and_then(read_file)
        };
        let unreadable = |why: String, fix: &str| {
            Problem::new(
                "input-unreadable",
                ExitCode::MalformedInput,
                "the input file cannot be read",
            )
            .at(Place::in_file(self.path.clone(), None))
            .because(why)
            .fix(fix)
        };
        match read {
            Ok(content) => Ok(content),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(unreadable(
                format!("it has more than {MAX_FILE_BYTES} bytes"),
                "give an image of the flash",
            )),
            Err(error) if self.path.to_string_lossy().contains('@') => Err(unreadable(
                error.to_string(),
                "check the name; an address behind an @ begins with 0x: FILE@0x60002000",
            )),
            Err(error) => Err(unreadable(
                error.to_string(),
                "check the name and the file's permissions",
            )),
        }
    }

    /// Reads the file and puts it where it belongs.
    fn image(&self, places: &RomPlaces) -> Result<Image, Problem> {
        Ok(Image::read(
            &self.path,
            &self.content()?,
            self.start,
            places,
        )?)
    }
}

fn address_of(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"))?;
    let digits = digits.replace('_', "");
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(&digits, 16).ok().map(Address::new)
}

/// A file whose size is known to be absurd is not even read.
fn read_file(file: File) -> io::Result<Vec<u8>> {
    if file.metadata()?.len() > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    read_limited(file)
}

fn read_limited(file: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

/// Reads all inputs, each of its own format, and joins them. Whether the result fits and boots is not judged here.
///
/// # Errors
/// A file that cannot be read, is malformed or not the pinned one, and files that contradict each other (exit 13).
pub fn read(inputs: &[InputFile], target: &Target) -> Result<Image, Problem> {
    let places = rom_places(target);
    let images: Result<Vec<Image>, Problem> =
        inputs.iter().map(|input| input.image(&places)).collect();
    Ok(Image::merge(images?)?)
}

/// What is to be in the flash: the files' bytes, and what is wished of the boot header.
#[derive(Clone, Debug)]
pub struct Request {
    /// The files' bytes.
    pub image: Image,
    /// The boot header.
    pub wishes: HeaderWishes,
}

impl Request {
    /// An image with the default header.
    pub fn new(image: Image) -> Self {
        Request {
            image,
            wishes: HeaderWishes::default(),
        }
    }

    /// Judges it by what the files bring alone. `None` where what the board holds decides.
    ///
    /// # Errors
    /// An image that would not boot or does not fit (exit 20); a wish that has no effect (exit 2).
    pub fn judged_offline(&self, target: &Target) -> Result<Option<BootImage>, Problem> {
        let judgement = boot::judge_with(&self.image, None, target, &self.wishes);
        if boot::is_partial(&self.image, target) && self.wishes.makes_header() {
            return Err(Problem::new(
                "header-of-board",
                ExitCode::Usage,
                "the boot header of the board stays as it is: the image is for a bootloader that is there already",
            )
            .because("--fcb, --replace-boot-header, --read-mode and --clock shape a header that is written")
            .fix("leave them out, or give the bootloader's file as well"));
        }
        if judgement.needs_board() {
            return Ok(None);
        }
        self.accepted(judgement).map(Some)
    }

    /// Judges it together with what the board holds.
    ///
    /// # Errors
    /// As [`Request::judged_offline`].
    pub fn judged_with(&self, present: &Present, target: &Target) -> Result<BootImage, Problem> {
        self.accepted(boot::judge_with(
            &self.image,
            Some(present),
            target,
            &self.wishes,
        ))
    }

    /// The files' bytes alone, whatever they are.
    ///
    /// # Errors
    /// Bytes that do not fit the part (exit 20).
    pub fn as_data(&self, target: &Target) -> Result<BootImage, Problem> {
        let wishes = HeaderWishes::only(HeaderPolicy::DataOnly);
        let judgement = boot::judge_with(&self.image, None, target, &wishes);
        Ok(judgement.into_boot_image()?)
    }

    fn accepted(&self, judgement: Judgement) -> Result<BootImage, Problem> {
        require_effect(&self.wishes, &judgement)?;
        Ok(judgement.into_boot_image()?)
    }
}

/// Refuses wishes on a new FCB where the image's stays.
///
/// # Errors
/// `header-stays` (exit 2).
pub fn require_effect(wishes: &HeaderWishes, judgement: &Judgement) -> Result<(), Problem> {
    let makes_fcb = |part: &Inserted| {
        matches!(part.part, HeaderPart::Fcb { .. }) && part.reason != Reason::KeptOfBoard
    };
    match judgement.boot_image() {
        Some(image) if wishes.shapes_a_new_fcb() && !image.inserted().iter().any(makes_fcb) => {
            Err(Problem::new(
                "header-stays",
                ExitCode::Usage,
                "--read-mode and --clock shape an FCB that rtflash makes, and none is made here",
            )
            .because("the FCB of the image stays as it is")
            .fix("leave them out, or add --replace-boot-header"))
        }
        _ => Ok(()),
    }
}

/// Reads all inputs and judges the image for `target` as far as that can be done without a board.
///
/// # Errors
/// Those of [`read`] (exit 13) and of [`Request::judged_offline`].
pub fn load(
    inputs: &[InputFile],
    target: &Target,
    wishes: HeaderWishes,
) -> Result<Request, Problem> {
    let request = Request {
        image: read(inputs, target)?,
        wishes,
    };
    request.judged_offline(target)?;
    Ok(request)
}

/// Where the target's boot ROM looks.
pub fn rom_places(target: &Target) -> RomPlaces {
    let chip = target.chip();
    RomPlaces {
        window: chip.flexspi.window(),
        fcb: chip.boot.fcb_offset,
        ivt: chip.boot.ivt_offset,
        vector_table: chip.boot.vector_table_offset,
        vector_table_alignment_bytes: chip.boot.vector_table_alignment_bytes,
        ram: chip.ram.iter().map(|ram| ram.range()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(typed: &str) -> (String, Option<u32>) {
        let input = InputFile::named(OsStr::new(typed));
        (
            input.path.display().to_string(),
            input.start.map(Address::get),
        )
    }

    #[test]
    fn an_address_stands_behind_the_last_at_sign() {
        let is = |typed: &str, path: &str, start| {
            assert_eq!(named(typed), (path.to_owned(), start), "{typed}");
        };
        is("app.hex", "app.hex", None);
        is("app.bin@0x60002000", "app.bin", Some(0x6000_2000));
        is("app.bin@0X6000_2000", "app.bin", Some(0x6000_2000));
        is("me@host/app.bin@0x0", "me@host/app.bin", Some(0));
        is("-@0x60002000", "-", Some(0x6000_2000));
        is("-", "-", None);
        for name in [
            "app@2x.bin",
            "app.bin@60002000",
            "app.bin@0x",
            "app.bin@0x160002000",
            "app.bin@0x+6",
            "@0x60002000",
            "@",
        ] {
            is(name, name, None);
        }
    }

    #[test]
    fn pins_belong_to_files_in_their_order_and_cover_all_or_none() {
        let typed = [PathBuf::from("a"), PathBuf::from("b@0x10")];
        let pins = [FileHash::of(b"a"), FileHash::of(b"b")];
        let inputs = InputFile::all(&typed, &pins).expect("inputs");
        let found: Vec<_> = inputs.iter().map(|input| input.pin).collect();
        assert_eq!(found, pins.map(Some));
        assert_eq!(InputFile::all(&typed, &[]).expect("inputs")[1].pin, None);
        for pins in [&pins[..1], &[pins[0]; 3]] {
            let problem = InputFile::all(&typed, pins).expect_err("usage");
            assert_eq!((problem.code, problem.exit), ("pin-count", ExitCode::Usage));
        }
    }

    #[test]
    fn standard_input_is_read_once() {
        let problem = InputFile::all(&["-".into(), "-@0x60000000".into()], &[]).expect_err("usage");
        assert_eq!(problem.code, "stdin-twice");
    }
}
