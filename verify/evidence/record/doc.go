// Package record keeps a checkpoint's inspections as a chain of hashes whose head the device
// signs.
//
// The record is a folder: inspections.jsonl with one line of JSON an inspection (schema
// tamthe/inspection/1), each with the SHA-256 of the line before it, and head, which says
// under the device's seal how many lines there are and the hash of the last, and keeps that
// line. Who changes, deletes, adds, reorders or cuts lines is found by Verify; who puts back
// an older record with its older head is found by a newer head that was kept elsewhere. An
// entry names no person: no name, no MRZ, no number of a document.
//
// The head is on the disk before the line. What a power cut tears off the last line is
// mended from the head by the next inspection, and said there.
package record
