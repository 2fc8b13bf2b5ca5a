// Package criu drives CRIU through its RPC protocol (rpc.proto of CRIU 4): one worker process a request, which
// announces its stages and waits for an answer at each. So a frozen tree can be held without stopping it by signals.
package criu

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// message is a protocol buffer under construction.
type message []byte

func (m message) uint(field int, value uint64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireVarint)
	return binary.AppendUvarint(m, value)
}

// int writes an int32 or int64 field, whose negative values are sign-extended to ten bytes.
func (m message) int(field int, value int64) message { return m.uint(field, uint64(value)) }

func (m message) bool(field int, value bool) message {
	if value {
		return m.uint(field, 1)
	}
	return m.uint(field, 0)
}

func (m message) bytes(field int, value []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireBytes)
	m = binary.AppendUvarint(m, uint64(len(value)))
	return append(m, value...)
}

func (m message) string(field int, value string) message { return m.bytes(field, []byte(value)) }

// fields holds the last value of each field of a decoded message.
type fields struct {
	numbers map[int]uint64
	values  map[int][]byte
}

var errTruncated = errors.New("truncated protocol buffer")

// decode reads one level of a protocol buffer; nested messages stay bytes.
func decode(buffer []byte) (fields, error) {
	decoded := fields{numbers: map[int]uint64{}, values: map[int][]byte{}}
	for len(buffer) > 0 {
		tag, size := binary.Uvarint(buffer)
		if size <= 0 {
			return fields{}, errTruncated
		}
		rest, err := decoded.read(int(tag>>3), int(tag&7), buffer[size:])
		if err != nil {
			return fields{}, err
		}
		buffer = rest
	}
	return decoded, nil
}

// read takes one field's value off the front of the buffer and returns what follows.
func (f fields) read(field, wire int, buffer []byte) ([]byte, error) {
	switch wire {
	case wireVarint:
		value, size := binary.Uvarint(buffer)
		if size <= 0 {
			return nil, errTruncated
		}
		f.numbers[field] = value
		return buffer[size:], nil
	case wireBytes:
		length, size := binary.Uvarint(buffer)
		if size <= 0 || uint64(len(buffer)-size) < length {
			return nil, errTruncated
		}
		end := size + int(length)
		f.values[field] = buffer[size:end]
		return buffer[end:], nil
	case wireFixed64, wireFixed32:
		width := map[int]int{wireFixed64: 8, wireFixed32: 4}[wire]
		if len(buffer) < width {
			return nil, errTruncated
		}
		return buffer[width:], nil
	}
	return nil, fmt.Errorf("protocol buffer with unknown wire type %d", wire)
}
