/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_TSAN_H
#define MQVMM_SLIRP_TSAN_H

/*
 * liburcu is not compiled with ThreadSanitizer, so the order that a grace
 * period establishes is invisible to it: these tell it, and are nothing in
 * other builds. tsan_release() at a quiescent state pairs with tsan_acquire()
 * after synchronize_rcu().
 *
 * It takes a recv() with MSG_TRUNC for one that writes: tsan_discard_begin()
 * and tsan_discard_end() around it tell that it does not.
 */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define MQVMM_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(MQVMM_TSAN)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define tsan_acquire(address) __tsan_acquire(address)
#define tsan_release(address) __tsan_release(address)
#define tsan_discard_begin()  AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define tsan_discard_end()    AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
#else
#define tsan_acquire(address) ((void)(address))
#define tsan_release(address) ((void)(address))
#define tsan_discard_begin()  ((void)0)
#define tsan_discard_end()    ((void)0)
#endif

#endif
