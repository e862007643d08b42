package capture

import (
	"io"

	"tcpwhy/capture/anonym"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
)

// Notes are what a copy of a capture has beside its frames. What of it came from the network has to
// be fit to be shown.
type Notes struct {
	Program string   // that makes the copy
	Summary []string // comments on the capture as a whole
	Frames  map[FrameID][]string
	Names   []HostName
}

// CopyConfig says what is copied.
type CopyConfig struct {
	Config           // files alone; the filter does not count
	Notes  *Notes    // nil: none
	Only   *FrameSet // nil: all frames
	// Anonymiser rewrites each frame, and nothing else is copied but what is known of interfaces,
	// without their names; nil: frames are copied as they are.
	Anonymiser *anonym.Anonymiser
}

// Copy writes the frames of capture files to w, as one pcapng file with notes. What a pcapng file
// holds beside frames is copied, too; several files are merged as [Open] merges them, with what is
// known of each interface, and their secrets. Damage ends a file as it does for Open, and is no
// error.
func Copy(w io.Writer, c CopyConfig) error {
	if c.Notes == nil {
		c.Notes = &Notes{}
	}
	head := pcapio.Head{
		Program: c.Notes.Program, Comments: c.Notes.Summary, Names: c.Notes.Names,
	}
	if from, is := c.onlyPcapng(); is {
		of := func(n uint64) FrameID { return NewFrameID(0, n) }
		return pcapio.CopyPcapng(w, from, &pcapio.Notes{
			Head:     head,
			Comments: func(n uint64) []string { return c.Notes.Frames[of(n)] },
			Wanted:   func(n uint64) bool { return c.Only.Has(of(n)) },
		})
	}
	src, err := openInputs(c.Config)
	if err != nil {
		return err
	}
	defer src.Close()
	to, err := pcapio.NewHeadedWriter(w, &head)
	if err != nil {
		return err
	}
	m := &maker{src: src, to: to, config: &c}
	return m.copy()
}

// onlyPcapng is the pcapng file that can be copied block by block, if that is all.
func (c *CopyConfig) onlyPcapng() (from pcapio.Stored, is bool) {
	all := c.recordings()
	if c.Anonymiser != nil || len(all) != 1 || !reopens(all[0]) {
		return from, false
	}
	from = storedAs(all[0], new(int64))
	return from, pcapio.IsPcapng(from)
}

// maker makes a pcapng file of frames one by one.
type maker struct {
	src     *source
	to      *pcapio.PcapngWriter
	config  *CopyConfig
	written []int // of each of the source's interfaces, its number in the file; -1: none yet
	secrets int   // how many of the source's are in the file
	latest  int64 // ns since the Unix epoch
}

// copy copies all frames, and what was counted of those that are missing.
func (m *maker) copy() error {
	next := m.inOrder()
	for {
		f, err := next()
		if err != nil {
			return m.drops()
		}
		m.latest = max(m.latest, f.Time)
		id := NewFrameID(int(f.Input), f.Number)
		if !m.config.Only.Has(id) {
			continue
		}
		if a := m.config.Anonymiser; a != nil {
			a.Frame(f)
		}
		if err := m.write(f, m.config.Notes.Frames[id]); err != nil {
			return err
		}
	}
}

// inOrder gives the frames: of one file as they stand in it, of several as they are analysed.
func (m *maker) inOrder() func() (*frame.Frame, error) {
	if len(m.src.queue) == 1 {
		in := m.src.queue[0]
		return func() (*frame.Frame, error) { return &in.frame, in.file.Next(&in.frame) }
	}
	m.src.sorter = newSorter(&m.src.stats, nil)
	var seg Segment
	return func() (*frame.Frame, error) {
		f, _, err := m.src.nextFrame(&seg)
		return f, err
	}
}

// write writes a frame, and before it what has to stand there: its interface, and secrets.
func (m *maker) write(f *frame.Frame, comments []string) error {
	if f.Bad { // it has a number, and nothing else that is known
		*f = frame.Frame{Time: f.Time, Link: f.Link}
		if len(m.src.stats.Interfaces) == 0 {
			return nil
		}
	}
	for ; m.secrets < len(m.src.stats.Secrets); m.secrets++ {
		if m.config.Anonymiser != nil {
			continue
		}
		if err := m.to.WriteSecrets(m.src.stats.Secrets[m.secrets]); err != nil {
			return err
		}
	}
	to, err := m.describe(int(f.Iface), f.Link)
	if err != nil {
		return err
	}
	return m.to.WritePacket(to, f, comments)
}

// describe gives the number that an interface has in the file: that of an earlier one which it
// continues, in the next file of a ring, or a new one.
func (m *maker) describe(iface int, link frame.LinkType) (int, error) {
	for len(m.written) <= iface {
		m.written = append(m.written, -1)
	}
	if m.written[iface] >= 0 {
		return m.written[iface], nil
	}
	of := m.src.stats.Interfaces[iface]
	for earlier := range iface {
		same := m.src.stats.Interfaces[earlier].Resolution == of.Resolution
		if same && m.written[earlier] >= 0 &&
			m.src.stats.continues(uint32(iface), uint32(earlier)) {
			m.written[iface] = m.written[earlier]
			return m.written[iface], nil
		}
	}
	if m.config.Anonymiser != nil {
		of.Name = ""
	}
	number, err := m.to.Describe(&pcapio.Interface{
		Name: of.Name, Link: link, Resolution: of.Resolution, SnapLen: of.SnapLen,
	})
	m.written[iface] = number
	return number, err
}

// drops writes how many frames the capturing hosts say they dropped.
func (m *maker) drops() error {
	for i := range m.src.stats.Interfaces {
		of := &m.src.stats.Inputs[m.src.stats.Interfaces[i].Input]
		if of.KernelDrops == 0 || i >= len(m.written) || m.written[i] < 0 {
			continue
		}
		if err := m.to.WriteDrops(m.written[i], m.latest, of.KernelDrops); err != nil {
			return err
		}
		of.KernelDrops = 0 // once
	}
	return nil
}
