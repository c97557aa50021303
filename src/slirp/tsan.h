/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_TSAN_H
#define MQVMM_SLIRP_TSAN_H

/*
 * liburcu is not compiled with ThreadSanitizer, so the order that a grace
 * period establishes is invisible to it: these tell it, and are nothing in
 * other builds. tsan_release() at a quiescent state pairs with tsan_acquire()
 * after synchronize_rcu().
 */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define MQVMM_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(MQVMM_TSAN)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define tsan_acquire(address) __tsan_acquire(address)
#define tsan_release(address) __tsan_release(address)
#else
#define tsan_acquire(address) ((void)(address))
#define tsan_release(address) ((void)(address))
#endif

#endif
