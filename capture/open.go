package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// stdinName is how the user names standard input.
const stdinName = "-"

// inputsMax is how many inputs a FrameID can tell apart.
const inputsMax = 1 << 16

// Config says what to read.
type Config struct {
	Inputs []string  // names of files, in the order of the command line; "-" is Stdin
	Stdin  io.Reader // nil: os.Stdin
	Filter *Filter   // nil: everything
}

// Open opens capture files as one capture, merged by time. It reads the header of every input; the
// error, of one line, names the input that is no capture and says what it is instead.
func Open(c Config) (Source, error) {
	s, err := openInputs(c)
	if err != nil {
		return nil, err
	}
	s.sorter = newSorter(&s.stats, c.Filter)
	return s, nil
}

// openInputs does everything of Open but decoding.
func openInputs(c Config) (*source, error) {
	if err := checkNames(c.Inputs); err != nil {
		return nil, err
	}
	if c.Stdin == nil {
		c.Stdin = os.Stdin
	}
	s := &source{bufferSize: min(max(feedTotal/len(c.Inputs), feedLeast), feedSize)}
	s.stats.Inputs = make([]Input, len(c.Inputs))
	for index, name := range c.Inputs {
		s.stats.Inputs[index].Name = name
		in := &input{
			name:    name,
			key:     unread,
			account: account{stats: &s.stats, input: index, secrets: &s.secrets},
		}
		in.frame.Input = uint16(index)
		if name == stdinName {
			in.stdin = c.Stdin
		}
		if err := s.admit(in, len(c.Inputs) > 1); err != nil {
			// Errors are one line, and closing what was only read tells nothing that helps.
			_ = s.Close()
			return nil, err
		}
		s.queue = append(s.queue, in)
	}
	s.queue.arrange()
	return s, nil
}

// checkNames refuses lists of inputs that cannot be read.
func checkNames(names []string) error {
	if len(names) == 0 || len(names) > inputsMax {
		return fmt.Errorf("%d inputs: there must be 1 to %d", len(names), inputsMax)
	}
	stdin := 0
	for _, name := range names {
		if name == stdinName {
			stdin++
		}
	}
	if stdin > 1 {
		return errors.New("standard input can be read only once")
	}
	return nil
}

// admit reads the header of an input. Where there are several, one that can be opened again is
// closed after a look at the time of its first frame: of hundreds of files of a ring only those are
// open whose turn it is.
func (s *source) admit(in *input, several bool) error {
	if !several || !in.reopens() {
		return in.start(s.takeBuffer())
	}
	look := Stats{Inputs: make([]Input, 1)}
	first := input{name: in.name, account: account{stats: &look, secrets: new(int)}}
	if s.spare == nil {
		s.spare = make([]byte, s.bufferSize)
	}
	if err := first.start(s.spare); err != nil {
		return err
	}
	if first.reader.next(&first.frame) == nil {
		in.key = first.frame.Time
	}
	in.account.of().Format = look.Inputs[0].Format
	in.account.of().Compression = look.Inputs[0].Compression
	return first.close()
}

// takeBuffer gives the buffer of an input that has ended, or a new one.
func (s *source) takeBuffer() []byte {
	buffer := s.spare
	s.spare = nil
	if buffer == nil {
		buffer = make([]byte, s.bufferSize)
	}
	return buffer
}

// reopens reports whether the input is a file that gives the same octets when it is opened again.
func (in *input) reopens() bool {
	if in.stdin != nil {
		return false
	}
	info, err := os.Stat(in.name)
	return err == nil && info.Mode().IsRegular()
}

// start opens the input and reads its header.
func (in *input) start(buffer []byte) error {
	raw := in.stdin
	if raw == nil {
		file, err := os.Open(in.name)
		if err != nil {
			return err
		}
		in.file, raw = file, file
	}
	if err := in.recognize(raw, buffer); err != nil {
		_ = in.close()
		return fmt.Errorf("read %s: %w", in.name, nameless(err))
	}
	return nil
}

// nameless is an error of the system without the name of the file, for messages that begin with it.
func nameless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// recognize finds out by the first octets what the input is, compression first.
func (in *input) recognize(raw io.Reader, buffer []byte) error {
	// A reader that asks for more than this buffer holds bypasses it, so plain files are not copied
	// twice.
	plain, compression, err := decompress(bufio.NewReaderSize(raw, feedLeast))
	if err != nil {
		return err
	}
	in.plain = plain
	in.feed = newFeed(plain, buffer)
	told := in.account.of()
	told.Compression = compression
	head, err := in.feed.peek(12)
	if _, _, ok := isPcap(head); ok {
		told.Format = "pcap"
		in.reader, err = newPcapReader(in.feed, &in.account)
		return err
	}
	if isPcapng(head) {
		told.Format = "pcapng"
		in.reader, err = newPcapngReader(in.feed, &in.account)
		return err
	}
	if err != nil && err != io.EOF {
		return readable(err)
	}
	head, _ = in.feed.peek(sniffLength)
	what := describe(head)
	if compression != "" {
		what = compression + " of " + what
	}
	return fmt.Errorf("not a capture but %s", what)
}
