// Package link is the socket on which the agent speaks to the launcher.
package link

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/protocol"
)

// writeTimeout bounds how long an agent that does not read can hold up the launcher.
const writeTimeout = 5 * time.Second

// Call is a request and the way to answer it.
type Call struct {
	protocol.Request
	from *connection
}

// Answer sends the reply to whoever asked, if it is still there.
func (c Call) Answer(reply protocol.Reply) {
	reply.ID = c.ID
	c.from.send(reply)
}

// Link holds at most one connection: a new one replaces the old, which may be a dead agent's.
type Link struct {
	// Calls delivers the requests in the order in which they come.
	Calls <-chan Call

	calls    chan Call
	listener *net.UnixListener
	mutex    sync.Mutex
	current  *connection
}

type connection struct {
	socket *net.UnixConn
	mutex  sync.Mutex
}

// Listen opens the socket, in place of one that an earlier launcher may have left.
func Listen(path string) (*Link, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	calls := make(chan Call)
	link := &Link{Calls: calls, calls: calls, listener: listener}
	go link.accept()
	return link, nil
}

// Connected says whether an agent is there.
func (l *Link) Connected() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.current != nil
}

// Announce sends an event, if an agent is there to hear it.
func (l *Link) Announce(event protocol.Event) {
	l.mutex.Lock()
	current := l.current
	l.mutex.Unlock()
	if current != nil {
		current.send(event)
	}
}

func (l *Link) accept() {
	for {
		socket, err := l.listener.AcceptUnix()
		if err != nil {
			fmt.Fprintf(os.Stderr, "ergosphere: the agent's socket is closed: %v\n", err)
			return
		}
		if err := fromOutside(socket); err != nil {
			fmt.Fprintf(os.Stderr, "ergosphere: refused a connection: %v\n", err)
			socket.Close()
			continue
		}
		accepted := &connection{socket: socket}
		l.replace(accepted)
		go l.serve(accepted)
	}
}

func (l *Link) replace(accepted *connection) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.current != nil {
		l.current.socket.Close()
	}
	l.current = accepted
}

// fromOutside lets in only processes of other PID namespaces, which the kernel reports as number 0: the agent's
// container is one, the user's is ours.
func fromOutside(socket *net.UnixConn) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	controlErr := raw.Control(func(descriptor uintptr) {
		peer, err = syscall.GetsockoptUcred(int(descriptor), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, controlErr); err != nil {
		return err
	}
	if peer.Pid != 0 {
		return fmt.Errorf("process %d is inside the program's container", peer.Pid)
	}
	return nil
}

// serve passes requests on until the connection ends. A line that is no request is answered here.
func (l *Link) serve(from *connection) {
	defer l.drop(from)
	lines := bufio.NewScanner(from.socket)
	lines.Buffer(make([]byte, 0, 4096), protocol.MaxLine)
	for lines.Scan() {
		request, err := protocol.ParseRequest(lines.Bytes())
		if err != nil {
			from.send(protocol.Reply{ID: request.ID, Reason: "BadRequest", Message: err.Error()})
			continue
		}
		l.calls <- Call{Request: request, from: from}
	}
}

func (l *Link) drop(from *connection) {
	from.socket.Close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.current == from {
		l.current = nil
	}
}

// send writes one line. A connection that does not take it is closed; the agent connects anew.
func (c *connection) send(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err) // only plain structs come here
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	err = c.socket.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = c.socket.Write(append(line, '\n'))
	}
	if err != nil {
		c.socket.Close()
	}
}
