// Command floor is the least that a Go program does which follows connections: it reads a pcap file
// of Ethernet frames with IPv4 and TCP through bufio, parses headers by hand, and counts segments
// and octets by connection in an open-addressing table. What another program takes beyond that is
// its own work.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	fileHeader   = 24
	recordHeader = 16
	ethernet     = 14
	protocolTCP  = 6
	bufferSize   = 64 << 10
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: floor FILE.pcap")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// run counts what the file holds.
func run(name string, out io.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	t := newTable()
	if err := read(bufio.NewReaderSize(file, bufferSize), t); err != nil {
		return err
	}
	segments, octets := t.total()
	_, err = fmt.Fprintln(out, "connections", t.used, "segments", segments, "octets", octets)
	return err
}

// read gives every frame of a little-endian pcap file to the table.
func read(r *bufio.Reader, t *table) error {
	le := binary.LittleEndian
	head, err := r.Peek(fileHeader)
	if err != nil {
		return err
	}
	if magic := le.Uint32(head); magic != 0xa1b23c4d && magic != 0xa1b2c3d4 {
		return errors.New("no little-endian pcap file")
	}
	for skip := fileHeader; ; {
		if _, err := r.Discard(skip); err != nil {
			return err
		}
		record, err := r.Peek(recordHeader)
		if err == io.EOF && len(record) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		at := int64(le.Uint32(record))*1e9 + int64(le.Uint32(record[4:]))
		length := int(le.Uint32(record[8:]))
		frame, err := r.Peek(recordHeader + length)
		if err != nil {
			return err
		}
		parse(frame[recordHeader:], at, t)
		skip = recordHeader + length
	}
}

// parse finds the TCP header of an Ethernet frame with IPv4.
func parse(f []byte, at int64, t *table) {
	be := binary.BigEndian
	if len(f) < ethernet+40 || be.Uint16(f[12:]) != 0x0800 || f[ethernet]>>4 != 4 ||
		f[ethernet+9] != protocolTCP {
		return
	}
	ip := f[ethernet:]
	header := int(ip[0]&15) * 4
	length := int(be.Uint16(ip[2:]))
	if header < 20 || length < header+20 || len(ip) < header+20 {
		return
	}
	tcp := ip[header:]
	data := length - header - int(tcp[12]>>4)*4
	k := key{be.Uint32(ip[12:]), be.Uint32(ip[16:]), be.Uint16(tcp), be.Uint16(tcp[2:])}
	c := t.find(k.ordered())
	c.segments++
	c.octets += uint64(max(data, 0))
	c.last = at
	c.seq, c.ack, c.flags = be.Uint32(tcp[4:]), be.Uint32(tcp[8:]), c.flags|tcp[13]
}
