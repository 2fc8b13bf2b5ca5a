package criu

import (
	"bytes"
	"reflect"
	"testing"
)

func TestMessagesAreReadAsTheyWereWritten(t *testing.T) {
	written := message{}.uint(1, 300).int(2, -1).bool(3, true).string(4, "text").bytes(5, message{}.uint(1, 7))
	read, err := decode(written)
	if err != nil {
		t.Fatal(err)
	}
	if read.numbers[1] != 300 || int64(read.numbers[2]) != -1 || read.numbers[3] != 1 || string(read.values[4]) != "text" {
		t.Errorf("%+v", read)
	}
	if inner, err := decode(read.values[5]); err != nil || inner.numbers[1] != 7 {
		t.Errorf("%+v %v", inner, err)
	}
}

// The bytes are those of protoc for {type: NOTIFY, notify_success: true}.
func TestTheAnswerIsWhatProtocWouldWrite(t *testing.T) {
	if !bytes.Equal(answer(), []byte{0x08, 0x06, 0x18, 0x01}) {
		t.Errorf("% x", answer())
	}
}

func TestFixedWidthFieldsAreSkipped(t *testing.T) {
	read, err := decode([]byte{0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 5})
	if err != nil || !reflect.DeepEqual(read.numbers, map[int]uint64{3: 5}) {
		t.Errorf("%+v %v", read, err)
	}
}

func TestTruncatedMessagesAreErrors(t *testing.T) {
	whole := message{}.uint(1, 300).string(2, "text")
	for size := 1; size < len(whole); size++ {
		if size == 3 {
			continue // the end of the first field
		}
		if read, err := decode(whole[:size]); err == nil {
			t.Errorf("%d bytes read as %+v", size, read)
		}
	}
	if _, err := decode([]byte{0x0b}); err == nil {
		t.Error("a group was read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(dumpRequest(300, "/images")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = decode(data)
		_, _ = parseResponse(data)
		_ = eachMessage(data, func(fields) error { return nil })
	})
}

func TestResponses(t *testing.T) {
	stage := message{}.uint(1, typeNotify).bool(2, true).bytes(5, message{}.string(1, "post-dump"))
	if parsed, err := parseResponse(stage); err != nil || parsed.stage != StageDumped {
		t.Errorf("%+v %v", parsed, err)
	}
	end := message{}.uint(1, typeDump).bool(2, false).string(9, "the first error")
	if parsed, err := parseResponse(end); err != nil || parsed != (response{message: "the first error"}) {
		t.Errorf("%+v %v", parsed, err)
	}
}
