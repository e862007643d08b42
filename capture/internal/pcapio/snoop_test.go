package pcapio

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"tcpwhy/capture/internal/frame"
)

// rawSnoop makes a file by hand: its header, and records.
func rawSnoop(version, link uint32, records ...[]byte) []byte {
	b := []byte(snoopMagic)
	b = binary.BigEndian.AppendUint32(b, version)
	b = binary.BigEndian.AppendUint32(b, link)
	return append(b, bytes.Join(records, nil)...)
}

// rawSnoopRecord is a record of a length of its own, which counts its header.
func rawSnoopRecord(wire, captured, length, drops uint32, rest string) []byte {
	var b []byte
	for _, n := range []uint32{wire, captured, length, drops, 1000, 7} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return append(b, rest...)
}

func TestSnoop(t *testing.T) {
	got, told := readOctets(t, rawSnoop(2, 4, rawSnoopRecord(90, 5, 32, 0, "12345pad"),
		rawSnoopRecord(4, 4, 28, 3, "data"), rawSnoopRecord(60, 0, 24, 3, "")))
	if len(got) != 3 || got[0].data != "12345" || got[0].wire != 90 || got[1].data != "data" ||
		len(got[2].data) != 0 {
		t.Errorf("frames %+v", got)
	}
	if got[0].time != 1000_000_007_000 || got[2].number != 3 || told.drops != 3 {
		t.Errorf("frame %+v, %d dropped", got[0], told.drops)
	}
}

func TestSnoopDamage(t *testing.T) {
	whole := rawSnoopRecord(4, 4, 28, 0, "data")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"version 1":       {rawSnoop(1, 4), "version 1"},
		"token ring":      {rawSnoop(2, 2), "data link 2"},
		"cut header":      {rawSnoop(2, 4)[:13], "header of the file"},
		"cut record":      {rawSnoop(2, 4, whole, whole[:26]), "within frame 2: 2 of 4"},
		"cut head":        {rawSnoop(2, 4, whole, whole[:10]), "header of frame 2"},
		"too much":        {rawSnoop(2, 4, rawSnoopRecord(9, 9, 28, 0, "data")), "frame 1 claims 9"},
		"shorter than it": {rawSnoop(2, 4, rawSnoopRecord(0, 0, 3, 0, "")), "record of 3"},
		"absurd length":   {rawSnoop(2, 4, rawSnoopRecord(1<<30, 1<<30, 1<<31, 0, "")), "frame 1 claims"},
	} {
		file, _, err := open(c.file)
		var f frame.Frame
		for err == nil {
			err = file.Next(&f)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzSnoop(f *testing.F) {
	f.Add(
		rawSnoop(2, 4, rawSnoopRecord(90, 5, 32, 0, "12345pad"),
			rawSnoopRecord(4, 4, 28, 3, "data")),
	)
	f.Fuzz(func(t *testing.T, octets []byte) {
		if isSnoop(octets) {
			checkFile(t, octets)
		}
	})
}
