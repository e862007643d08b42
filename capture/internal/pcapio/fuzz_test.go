package pcapio

import (
	"encoding/binary"
	"io"
	"testing"

	"tcpwhy/capture/internal/frame"
)

// checkFile reads any octets as a capture: no panic, no frame that its file could not hold, and one
// way to end.
func checkFile(t *testing.T, octets []byte) {
	file, told, err := open(octets)
	if err != nil {
		return
	}
	var f frame.Frame
	last := uint64(0)
	for err == nil {
		if err = file.Next(&f); err != nil {
			break
		}
		if f.Number <= last {
			t.Fatalf("frame %d after frame %d", f.Number, last)
		}
		last = f.Number
		if file.Disordered() && f.Number%7 == 0 {
			file.Restart(f.Time)
		}
		if f.Bad {
			continue
		}
		if int(f.Iface) >= len(told.interfaces) || len(f.Data) > frameMax*2 || uint64(f.OrigLen) < uint64(len(f.Data)) {
			t.Fatalf("frame %d of interface %d: %d octets of %d", f.Number, f.Iface, len(f.Data), f.OrigLen)
		}
		if f.Time > timeMax || f.Time < -timeMax {
			t.Fatalf("frame %d at %d", f.Number, f.Time)
		}
	}
	if again := file.Next(&f); again == nil || (again == io.EOF) != (err == io.EOF) {
		t.Fatalf("after %v: %v", err, again)
	}
}

func FuzzPcap(f *testing.F) {
	for _, order := range fileOrders() {
		f.Add(pcapBytes(f, order, true, fileFrames(3)))
		f.Add(pcapBytes(f, order, false, fileFrames(1)))
	}
	f.Add(rawPcap(pcapModified, 0, 1, rawRecord(4, 4, []byte("12345678data"))))
	f.Fuzz(func(t *testing.T, octets []byte) {
		if _, _, ok := isPcap(octets); ok {
			checkFile(t, octets)
		}
	})
}

func FuzzPcapng(f *testing.F) {
	le := binary.LittleEndian
	for _, order := range fileOrders() {
		f.Add(pcapngBytes(f, order, fileFrames(3)))
	}
	f.Add(join(ngSection(le), ngInterfaceBlock(le, 1, 0, uint16(optResolution), uint16(1), "\x9e", uint16(optOffset), uint16(8), uint64(7)),
		ngBlock(le, blockSimple, uint32(4), "simp"), ngBlock(le, blockSecrets, uint32(secretsTLS), uint32(4), "key "),
		ngBlock(le, blockStatistics, uint32(0), uint64(0), uint16(optSystemDropped), uint16(8), uint64(5))))
	f.Fuzz(func(t *testing.T, octets []byte) {
		if isPcapng(octets) {
			checkFile(t, octets)
		}
	})
}

func FuzzOpen(f *testing.F) {
	octets := pcapBytes(f, binary.LittleEndian, true, fileFrames(3))
	f.Add(octets)
	for format := range packers() {
		f.Add(pack(f, format, octets))
	}
	f.Add([]byte("Hello"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, octets []byte) {
		_ = describe(octets[:min(len(octets), sniffLength)])
		checkFile(t, octets)
	})
}
