package http2

import (
	"golang.org/x/net/http2/hpack"
)

// fieldName is a header field that matters here. Of all others not even the name is kept, nor ever
// the value: cookies and credentials are among them.
type fieldName uint8

const (
	unknownField fieldName = iota // the capture lacks what its name was
	otherField
	methodField
	pathField
	authorityField
	statusField
	protocolField // of extended CONNECT: RFC 8441 §4
	hostField
	lengthField
	typeField
	agentField
	serverField
	poweredField
	viaField
	expectField
	grpcStatusField
	grpcTimeoutField
	priorityField
	traceParentField
)

// nameOf are the names that matter.
var nameOf = [...]struct {
	text string
	name fieldName
}{
	{":method", methodField},
	{":path", pathField},
	{":authority", authorityField},
	{":status", statusField},
	{":protocol", protocolField},
	{"host", hostField},
	{"content-length", lengthField},
	{"content-type", typeField},
	{"user-agent", agentField},
	{"server", serverField},
	{"x-powered-by", poweredField},
	{"via", viaField},
	{"expect", expectField},
	{"grpc-status", grpcStatusField},
	{"grpc-timeout", grpcTimeoutField},
	{"priority", priorityField},
	{"traceparent", traceParentField},
}

// longestName is the length of the longest name that matters.
const longestName = len("content-length")

// nameField recognises a name. They are in lower case (RFC 9113 §8.2.1).
func nameField(name []byte) fieldName {
	if len(name) > longestName {
		return otherField
	}
	for i := range nameOf {
		if string(name) == nameOf[i].text {
			return nameOf[i].name
		}
	}
	return otherField
}

// field is a header field, as far as it is known and matters.
type field struct {
	name  fieldName
	value string // "" unless the name matters and known is set
	known bool   // the value is that
}

// staticSize is how many entries the static table has (RFC 7541 appendix A).
const staticSize = 61

// staticTable is the static table: what hpack makes of a block that names each of its entries.
func staticTable() []field {
	table := make([]field, 0, staticSize)
	d := hpack.NewDecoder(0, func(f hpack.HeaderField) {
		entry := field{name: nameField([]byte(f.Name)), known: true}
		if entry.name != otherField {
			entry.value = f.Value
		}
		table = append(table, entry)
	})
	for i := byte(1); i <= staticSize; i++ {
		if _, err := d.Write([]byte{indexed | i}); err != nil {
			return table // shorter then: its entries are unknown
		}
	}
	return table
}
